/** Completion scripts for shells, as texts. */
import type { Shell } from "./shells.js";

/** What may stand for an argument or a flag's value: words, file names, or neither, where only the user knows. */
export interface Takes {
  readonly files: boolean;
  readonly words: readonly string[];
}

export interface CompletedFlag {
  /** `-o`, `--output` */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined for a flag without value. */
  readonly takes: Takes | undefined;
}

export interface CompletedCommand {
  /** With its aliases. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  readonly takes: Takes;
}

/** Programs that are completed. */
const PROGRAMS: readonly string[] = ["landfall", "kubectl-landfall"];

export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
    case "powershell":
      return powershell(commands);
  }
}

/** Single quotes, in which POSIX shells and zsh take all but the quote as it is. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const namesOf = (commands: readonly CompletedCommand[]) => commands.flatMap(({ names }) => names);
const flagNames = ({ flags }: CompletedCommand) => flags.flatMap(({ names }) => names);

function bash(commands: readonly CompletedCommand[]): string {
  const offer = ({ files, words }: Takes) =>
    [...(files ? ["files=1"] : []), ...(words.length === 0 ? [] : [`words=${quoted(words.join(" "))}`])].join(
      " ",
    ) || ":";
  const branch = (command: CompletedCommand) => {
    const values = command.flags.flatMap(({ names, takes }) =>
      takes === undefined ? [] : [`        ${names.join("|")}) ${offer(takes)} ;;`],
    );
    return `    ${command.names.join("|")})
      case $prev in
${values.join("\n")}
        *)
          ${offer(command.takes)}
          [[ $cur == -* ]] && words=${quoted(flagNames(command).join(" "))}
          ;;
      esac
      ;;`;
  };
  return `# bash completion for landfall
_landfall() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= files= words= i
  # bash takes the = of --flag=value for a word.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} != -* ]]; then command=\${COMP_WORDS[i]}; break; fi
  done
  case $command in
    '') words=${quoted([...namesOf(commands), "--help", "--version"].join(" "))} ;;
${commands.map(branch).join("\n")}
  esac
  COMPREPLY=()
  local IFS=$'\\n'
  if [[ -n $words ]]; then COMPREPLY=($(IFS=' '; compgen -W "$words" -- "$cur")); fi
  if [[ -n $files && $cur != -* ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$cur"))
  fi
}
complete -F _landfall ${PROGRAMS.join(" ")}
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  // In a specification of _arguments, brackets and colons have a meaning.
  const plain = (text: string) => text.replace(/[[\]:\\]/g, (mark) => `\\${mark}`);
  const action = ({ files, words }: Takes) =>
    words.length > 0 ? `(${words.join(" ")})` : files ? "_files" : " ";
  const flag = ({ names, description, takes }: CompletedFlag) =>
    names.map((name) =>
      quoted(`*${name}[${plain(description)}]${takes === undefined ? "" : `:value:${action(takes)}`}`),
    );
  const branch = (command: CompletedCommand) => {
    const rest = action(command.takes);
    const specs = [...command.flags.flatMap(flag), ...(rest === " " ? [] : [quoted(`*:argument:${rest}`)])];
    return `        ${command.names.join("|")})
          _arguments ${specs.join(" \\\n            ")} ;;`;
  };
  const described = commands.flatMap(({ names, summary }) =>
    names.map((name) => `        ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`),
  );
  return `#compdef ${PROGRAMS.join(" ")}
_landfall() {
  local state line
  typeset -A opt_args
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command)
      local -a commands=(
${described.join("\n")}
      )
      _describe command commands
      ;;
    rest)
      case $words[1] in
${commands.map(branch).join("\n")}
      esac
      ;;
  esac
}
# Read from a file of $fpath, this is the function's first call; sourced, it only has to be made known.
if [[ $funcstack[1] == _landfall ]]; then _landfall "$@"; else compdef _landfall ${PROGRAMS.join(" ")}; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const inQuotes = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const values = ({ files, words }: Takes) =>
    words.length > 0 ? `-x -a ${inQuotes(words.join(" "))}` : files ? "-r -F" : "-x";
  const lines = (program: string) => {
    const begin = `complete -c ${program}`;
    return [
      `${begin} -f`,
      ...commands.flatMap(({ names, summary }) =>
        names.map((name) => `${begin} -n __fish_use_subcommand -a ${name} -d ${inQuotes(summary)}`),
      ),
      ...commands.flatMap(({ names, takes, flags }) => {
        const within = `${begin} -n ${inQuotes(`__fish_seen_subcommand_from ${names.join(" ")}`)}`;
        return [
          ...(takes.files ? [`${within} -F`] : []),
          ...(takes.words.length > 0 ? [`${within} -a ${inQuotes(takes.words.join(" "))}`] : []),
          ...flags.map((flag) => {
            const spelled = flag.names.map((name) =>
              name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
            );
            const value = flag.takes === undefined ? [] : [values(flag.takes)];
            return [within, ...spelled, ...value, `-d ${inQuotes(flag.description)}`].join(" ");
          }),
        ];
      }),
    ];
  };
  return `# fish completion for landfall\n${PROGRAMS.flatMap(lines).join("\n")}\n`;
}

function powershell(commands: readonly CompletedCommand[]): string {
  const inQuotes = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const list = (words: readonly string[]) => `@(${words.map(inQuotes).join(", ")})`;
  // Where a flag or an argument takes files, nothing is offered: PowerShell then completes file names.
  const entry = (command: CompletedCommand, name: string) => {
    const values = command.flags.flatMap(({ names, takes }) =>
      takes === undefined ? [] : names.map((one) => `${inQuotes(one)} = ${list(takes.words)}`),
    );
    return `    ${inQuotes(name)} = @{
      flags = ${list(flagNames(command))}
      words = ${list(command.takes.words)}
      values = @{ ${values.join("; ")} }
    }`;
  };
  return `# PowerShell completion for landfall
Register-ArgumentCompleter -Native -CommandName ${PROGRAMS.map(inQuotes).join(", ")} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = @{
${commands.flatMap((command) => command.names.map((name) => entry(command, name))).join("\n")}
  }
  $given = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $name = $given | Where-Object { $_ -notlike '-*' } | Select-Object -First 1
  if (-not $name) { $offered = ${list([...namesOf(commands), "--help", "--version"])} }
  elseif (-not $commands.ContainsKey($name)) { $offered = @() }
  else {
    $command = $commands[$name]
    if ($command.values.ContainsKey($given[-1])) { $offered = $command.values[$given[-1]] }
    elseif ($wordToComplete -like '-*') { $offered = $command.flags }
    else { $offered = $command.words }
  }
  $offered | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}
