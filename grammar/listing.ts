/** How `iptables -L` shows extensions: text for people, read back into the words that the rule was written with. */

export interface ListedForm {
  /** Stands at the beginning of what is left of the row. */
  readonly form: RegExp;
  /** The words that it stands for, without the extension's name; gets the groups of `form`. */
  words(found: readonly (string | undefined)[]): readonly string[];
  /** Only behind another form of the same extension. */
  readonly later?: true;
  /** What a rule has and a listing leaves out, so that the words are made up. */
  readonly leftOut?: string;
}

/** A word that stands for the extension itself, `ah`. */
export function listedName(shown: string): ListedForm {
  return { form: new RegExp(`^${shown}(?= |$)`), words: () => [] };
}

/** An option and its value, with `!` before the name or the value where it is negated: `cpu ! 2`, `spis:!3:9`. */
export function listedOption(shown: string, option: string, value = "\\S+"): ListedForm {
  return {
    form: new RegExp(`^(! ?)?${shown} *(! ?)?(${value})`),
    words: ([before, after, text = ""]) => [...not(before ?? after), option, text],
  };
}

/** An option without a value, `! owner socket exists`. */
export function listedFlag(shown: string, option: string): ListedForm {
  return { form: new RegExp(`^(! ?)?${shown}(?= |$)`), words: ([negated]) => [...not(negated), option] };
}

/** The forms, each of them only behind another one of the extension. */
export function listedLater(...forms: readonly ListedForm[]): readonly ListedForm[] {
  return forms.map((form) => ({ ...form, later: true }));
}

/** `spt:53`, `dpts:!1:1024`, as all matches with ports show them. */
export const LISTED_PORTS = listedLater(listedOption("spts?:", "--sport"), listedOption("dpts?:", "--dport"));

/** What MARK and CONNMARK do to bits: `MARK xset 0x4000/0x4000`. */
export function listedMarks(target: string): ListedForm {
  return {
    form: new RegExp(`^${target} (set|xset|and|or|xor) (0x[0-9a-f]+(?:/0x[0-9a-f]+)?)`),
    words: ([how, mark = ""]) => [how === "xset" ? "--set-xmark" : `--${how}-mark`, mark],
  };
}

/** The word that stands before a negated option. */
export function not(negated: string | undefined): readonly string[] {
  return negated ? ["!"] : [];
}
