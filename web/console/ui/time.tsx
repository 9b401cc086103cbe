import { useNow } from "./clock";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});

/** How long ago, or in how long, with the exact instant on hover. */
export function Ago({ at, className }: { at: string; className?: string }) {
  const seconds = Math.round((Date.parse(at) - useNow(10_000)) / 1000);
  return (
    <time dateTime={at} title={exactly(at)} className={className}>
      {relative(seconds)}
    </time>
  );
}

/** When it was said: the time, and the day unless it was today. */
export function Moment({ at, className }: { at: string; className?: string }) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return (
    <time dateTime={at} title={exactly(at)} className={className}>
      {(isToday ? TIME : DAY_AND_TIME).format(date)}
    </time>
  );
}

/** How long it has been so far; ticks. */
export function Since({ at, className = "" }: { at: string; className?: string }) {
  const seconds = Math.max(0, Math.floor((useNow() - Date.parse(at)) / 1000));
  return (
    <time dateTime={at} title={exactly(at)} className={`tabular-nums ${className}`}>
      {seconds < HOUR ? precise(seconds) : duration(seconds)}
    </time>
  );
}

export function exactly(at: string): string {
  return EXACT.format(new Date(at));
}

export function day(at: string): string {
  return DATE.format(new Date(at));
}

export function relative(seconds: number): string {
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  if (size < HOUR) return RELATIVE.format(Math.round(seconds / MINUTE), "minute");
  if (size < DAY) return RELATIVE.format(Math.round(seconds / HOUR), "hour");
  return RELATIVE.format(Math.round(seconds / DAY), "day");
}

/** As `18 min`, `1 h 05 min` or `2 d 3 h`. */
export function duration(seconds: number): string {
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  const hours = Math.floor(seconds / HOUR);
  if (seconds < DAY) return `${hours} h ${twoDigits(Math.floor((seconds % HOUR) / MINUTE))} min`;
  return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
}

/** As `18 min 04 s`. */
function precise(seconds: number): string {
  if (seconds < MINUTE) return `${seconds} s`;
  return `${Math.floor(seconds / MINUTE)} min ${twoDigits(seconds % MINUTE)} s`;
}

function twoDigits(count: number): string {
  return String(count).padStart(2, "0");
}
