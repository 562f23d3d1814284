/** Returns the page about a fact's subject (`incident/<id>`, `alert/<id>`), or `null`. */
export function subjectPath(subject: string): string | null {
  const at = subject.indexOf('/');
  const noun = subject.slice(0, at);
  const id = encodeURIComponent(subject.slice(at + 1));
  if (at < 0 || !id) return null;
  if (noun === 'incident') return `/incidents/${id}`;
  if (noun === 'alert') return `/alerts?alert=${id}`;
  return null;
}
