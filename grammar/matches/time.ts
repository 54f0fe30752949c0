import { defineMatch, flag, type GivenOption, type ValueKind } from "../description.js";
import { ALWAYS, hidden } from "../meaning.js";
import { scanInt } from "../scan.js";
import { reading, readLong } from "../values.js";

const DAY_END = 86399;
/** The last second of 31 bits: what iptables prints for a rule without an end. */
const DATE_DEFAULT = 0x7fffffff;
const YEAR_MAX = 2038;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const MONTHDAYS = Array.from({ length: 31 }, (_, index) => index + 1);

const two = (value: number) => String(value).padStart(2, "0");

const timeExpects = "a time of day, for example 08:30 or 08:30:15";
/** Seconds since midnight. */
const timeKind: ValueKind<number> = {
  expects: timeExpects,
  grammar: () =>
    reading(timeExpects, (text) => {
      const parts = numbersBetween(text, [":", ":"]);
      if (parts === undefined || parts.length < 2) return undefined;
      const [hours = 0, minutes = 0, seconds = 0] = parts;
      return hours > 23 || minutes > 59 || seconds > 59 ? undefined : (hours * 60 + minutes) * 60 + seconds;
    }),
  print: (time) => `${two(Math.floor(time / 3600))}:${two(Math.floor(time / 60) % 60)}:${two(time % 60)}`,
};

/** Numbers with these signs between them; those at the end may be missing. */
function numbersBetween(text: string, signs: readonly string[]): readonly number[] | undefined {
  const numbers: number[] = [];
  for (let at = 0; ; at++) {
    const { value, end } = scanInt(text, at);
    numbers.push(value);
    if (end === text.length) return numbers;
    if (text[end] !== signs[numbers.length - 1]) return undefined;
    at = end;
  }
}

const dateExpects = "a date from 1970 to 2038, for example 2026-01-31T08:30:00";
/** Seconds since 1970, UTC. */
const dateKind: ValueKind<number> = {
  expects: dateExpects,
  grammar: () =>
    reading(dateExpects, (text) => {
      const parts = numbersBetween(text, ["-", "-", "T", ":", ":"]);
      if (parts === undefined) return undefined;
      const [year = 0, month = 1, day = 1, hours = 0, minutes = 0, seconds = 0] = parts;
      const fits = month <= 12 && day <= 31 && hours <= 23 && minutes <= 59 && seconds <= 59;
      const date = Date.UTC(year, month - 1, day, hours, minutes, seconds) / 1000;
      // Month and day may be 0, for the one before the first.
      return fits && year >= 1970 && year <= YEAR_MAX && date >= 0 ? date : undefined;
    }),
  print: (date) => new Date(date * 1000).toISOString().slice(0, 19),
};

/** Days that count, whatever was negated: `! --weekdays` is saved as the other days. */
const weekdaysKind: ValueKind<readonly number[]> = dayListKind(
  `a comma list of ${WEEKDAYS.join(", ")}, or 1 to 7`,
  7,
  (text) => {
    // Two letters are looked at, whatever follows.
    const name = WEEKDAYS.findIndex((day) => text.startsWith(day.slice(0, 2)));
    // Numbers from 8 on are taken, and are no day; what iptables makes of long ones hangs on its memory.
    const number = Number(readLong(text, 31n) ?? 0n);
    return name >= 0 ? name + 1 : number >= 1 ? number : undefined;
  },
  (day) => WEEKDAYS[day - 1] ?? "",
);
const monthdaysKind: ValueKind<readonly number[]> = dayListKind(
  "a comma list of days of the month, 1 to 31",
  31,
  (text) => {
    const day = readLong(text, 31n);
    return day === undefined ? undefined : Number(day);
  },
  String,
);

function dayListKind(
  expects: string,
  last: number,
  read: (text: string) => number | undefined,
  print: (day: number) => string,
): ValueKind<readonly number[]> {
  return {
    expects,
    grammar: () =>
      reading<readonly number[]>(expects, (text) => {
        const days = text
          .split(",")
          .filter((part) => part !== "")
          .map(read);
        if (days.includes(undefined)) return undefined;
        const known = (days as number[]).filter((day) => day >= 1 && day <= last);
        return [...new Set(known)].sort((left, right) => left - right);
      }),
    print: (days) => days.map(print).join(","),
  };
}

const isAll = (last: number) => (days: readonly number[], negated: boolean) =>
  !negated && days.length === last;

/** xt_time: the time at which the packet comes. */
export const time = defineMatch({
  name: "time",
  summary: "the time at which the packet comes",
  options: {
    timeStart: { name: "--timestart", value: timeKind },
    timeStop: { name: "--timestop", value: timeKind },
    monthdays: { name: "--monthdays", value: monthdaysKind, negatable: true, hidden: isAll(31) },
    weekdays: { name: "--weekdays", value: weekdaysKind, negatable: true, hidden: isAll(7) },
    dateStart: { name: "--datestart", value: dateKind, hidden: (date) => date === 0 },
    dateStop: { name: "--datestop", value: dateKind, hidden: (date) => date === 0 },
    utc: flag("--utc", { hidden: () => true }),
    localZone: flag("--localtz", { hidden: () => true }),
    kernelZone: flag("--kerneltz"),
    contiguous: flag("--contiguous"),
  },
  complete(given) {
    const { timeStart, timeStop, weekdays, monthdays, localZone, ...rest } = given;
    // The older name of the same.
    const kernelZone = given.kernelZone ?? localZone;
    if (given.utc && kernelZone) return { refused: "--utc and --kerneltz exclude each other" };
    const start = timeStart?.value ?? 0;
    const stop = timeStop?.value ?? DAY_END;
    if (given.contiguous && start < stop) {
      return { refused: "--contiguous is for a stop time that is earlier than the start time" };
    }
    const plain = <T>(value: T) => ({ value, negated: false });
    const others = (days: typeof weekdays, all: readonly number[]) =>
      days?.negated ? plain(all.filter((day) => !days.value.includes(day))) : days;
    const week = others(weekdays, [1, 2, 3, 4, 5, 6, 7]);
    const month = others(monthdays, MONTHDAYS);
    const wholeDay = start === 0 && stop === DAY_END;
    return {
      ...rest,
      ...(kernelZone === undefined ? {} : { kernelZone }),
      ...(wholeDay ? {} : { timeStart: plain(start), timeStop: plain(stop) }),
      ...(week === undefined ? {} : { weekdays: week }),
      ...(month === undefined ? {} : { monthdays: month }),
      dateStop: given.dateStop ?? plain(DATE_DEFAULT),
    };
  },
  meaning(given, { family }) {
    const { timeStart, timeStop, weekdays, monthdays, dateStart, dateStop, kernelZone, contiguous } = given;
    const text = <T>(kind: ValueKind<T>, option: GivenOption<T> | undefined) =>
      option && kind.print(option.value, family);
    const [from, to] = [text(timeKind, timeStart), text(timeKind, timeStop)];
    const [first, last] = [text(dateKind, dateStart), text(dateKind, dateStop)];
    const parts = [
      ...(from === undefined ? [] : [`between ${from} and ${to}${contiguous ? " of the next day" : ""}`]),
      ...(weekdays === undefined ? [] : [`on ${text(weekdaysKind, weekdays)}`]),
      ...(monthdays === undefined ? [] : [`on day ${text(monthdaysKind, monthdays)} of the month`]),
      ...(dateStart === undefined || dateStart.value === 0 ? [] : [`after ${first}`]),
      ...(dateStop === undefined || dateStop.value === DATE_DEFAULT ? [] : [`before ${last}`]),
    ];
    const when = `${parts.join(", ")} (${kernelZone ? "the kernel's time zone" : "UTC"})`;
    return {
      condition:
        parts.length === 0 ? ALWAYS : hidden(`the packet comes ${when}`, `the packet does not come ${when}`),
    };
  },
  listed: [
    {
      form: /^TIME(?: from (\S+) to (\S+))?(?: on ((?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?)+))?(?: on ((?:\d+(?:st|nd|rd|th),?)+))?(?: starting from (\S+) (\S+))?(?: until date (\S+) (\S+))?( UTC)?( contiguous)?(?= |$)/,
      words: ([start, stop = "", weekdays, monthdays, first, firstTime, last, lastTime, utc, contiguous]) => [
        ...(start === undefined ? [] : ["--timestart", start, "--timestop", stop]),
        ...(monthdays === undefined ? [] : ["--monthdays", monthdays.replace(/[a-z]+/g, "")]),
        ...(weekdays === undefined ? [] : ["--weekdays", weekdays]),
        ...(first === undefined ? [] : ["--datestart", `${first}T${firstTime}`]),
        ...(last === undefined ? [] : ["--datestop", `${last}T${lastTime}`]),
        ...(utc === undefined ? ["--kerneltz"] : []),
        ...(contiguous === undefined ? [] : ["--contiguous"]),
      ],
    },
  ],
  examples: [
    {
      typed:
        "-m time --timestart 01:02:03 --timestop 04:05:06 --monthdays 1,2,3,4,5 --weekdays Mon,Fri,Sun --datestart 2001-02-03T04:05:06 --datestop 2012-09-08T09:06:05 --kerneltz",
    },
    {
      typed: "-m time --timestart 8:00",
      saved: "-m time --timestart 08:00:00 --timestop 23:59:59 --datestop 2038-01-19T03:14:07",
    },
    {
      typed: "-m time ! --weekdays 6,Sun",
      saved: "-m time --weekdays Mon,Tue,Wed,Thu,Fri --datestop 2038-01-19T03:14:07",
    },
    {
      typed: "-m time --datestart 2020-05",
      saved: "-m time --datestart 2020-05-01T00:00:00 --datestop 2038-01-19T03:14:07",
    },
    { typed: "-m time", saved: "-m time --datestop 2038-01-19T03:14:07" },
    {
      typed: "-m time --timestart 22:00 --timestop 02:00 --contiguous",
      saved: "-m time --timestart 22:00:00 --timestop 02:00:00 --datestop 2038-01-19T03:14:07 --contiguous",
    },
    { typed: "-m time --timestart 01:02:03 --timestop 04:05:06 --contiguous", refused: true },
    { typed: "-m time --weekdays Mon,", saved: "-m time --weekdays Mon --datestop 2038-01-19T03:14:07" },
    { typed: "-m time --weekdays 0", refused: true },
    { typed: "-m time --utc --kerneltz", refused: true },
    { typed: "-m time --timestart 24:00", refused: true },
    { typed: "-m time --monthdays 32", refused: true },
    { typed: "-m time --weekdays tue", refused: true },
    { typed: "-m time --datestart 1969", refused: true },
  ],
});
