/** Days as `<input type="date">` has them, of the viewer's time zone. */

export function dateInput(date: Date): string {
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part, place) => String(part).padStart(place ? 2 : 4, "0")).join("-");
}

export function inDays(count: number): Date {
  const date = new Date();
  date.setDate(date.getDate() + count);
  return date;
}

export function startOfDay(day: string): string {
  return new Date(`${day}T00:00:00`).toISOString();
}

/** The first instant after it: midnight, also where a day has no 24 hours. */
export function endOfDay(day: string): string {
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + 1);
  return date.toISOString();
}

export function lastSecondOf(day: string): string {
  return new Date(Date.parse(endOfDay(day)) - 1_000).toISOString();
}
