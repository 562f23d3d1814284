const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/** Returns a round step in seconds that gives about `points` points over `seconds`. */
export function chooseStep(seconds: number, points = 250): number {
  const wanted = seconds / points;
  return NICE.find((step) => step >= wanted) ?? Math.ceil(wanted / 86_400) * 86_400;
}
