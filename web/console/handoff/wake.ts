/** Of a `datetime-local` input: the viewer's time, to the minute. */
export function localInput(date: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function inOneHour(now: Date): Date {
  return new Date(now.getTime() + 3_600_000);
}

/** The next day at eight by the clock on the wall, whatever happens to it at night. */
export function tomorrowAtEight(now: Date): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 8);
}
