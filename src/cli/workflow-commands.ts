/** Workflow commands of GitHub Actions: `::error file=…,line=…,title=…::message`. */
import { clean } from "./style.js";

export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly file?: string;
  readonly line?: number;
  readonly title: string;
  /** May have several lines. */
  readonly message: string;
}

export function annotation({ level, file, line, title, message }: Annotation): string {
  const where =
    file === undefined ? "" : `file=${property(file)},${line === undefined ? "" : `line=${line},`}`;
  return `::${level} ${where}title=${property(title)}::${escaped(message)}`;
}

/** The message of a workflow command: all on one line, with `%` escaped. */
function escaped(text: string): string {
  return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

/** A property of a workflow command, which ends at a comma or colon. */
function property(text: string): string {
  return escaped(clean(text)).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
