/** Returns `address` when it is an http(s) or relative address, else `null`: annotations are not trusted. */
export function safeHref(address: string | undefined): string | null {
  if (!address) return null;
  return /^(https?:\/\/|\/(?!\/))/i.test(address.trim()) ? address.trim() : null;
}
