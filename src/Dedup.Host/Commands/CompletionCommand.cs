using System.CommandLine;

namespace Dedup.Host.Commands;

/// <summary><c>dedup completion</c>: prints a script that lets a shell complete commands and options.</summary>
internal static class CompletionCommand
{
    // Each asks the program itself through the [suggest] directive: the list can never be out of date.
    private const string Bash = """
        _dedup() {
          local IFS=$'\n'
          COMPREPLY=( $(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") )
        }
        complete -o default -F _dedup dedup ./dedup
        """;

    private const string Zsh = """
        #compdef dedup
        _dedup() {
          local -a found
          found=("${(@f)$("${words[1]}" "[suggest:$#BUFFER]" "$BUFFER" 2>/dev/null)}")
          compadd -a found || _files
        }
        compdef _dedup dedup
        """;

    private const string Fish = """
        function __dedup_complete
          set -l line (commandline -cp)
          set -l words (commandline -opc)
          command $words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c dedup -a '(__dedup_complete)'
        """;

    public static Command Make(CliContext context)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new ExampleCommand(
            "completion",
            "Print a script that completes commands and options in a shell.",
            new Example("source <(dedup completion bash)", "for this shell"),
            new Example(
                "dedup completion fish > ~/.config/fish/completions/dedup.fish",
                "for every fish"
            )
        )
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            context.Out.WriteLine(
                parsed.GetValue(shell) switch
                {
                    "bash" => Bash,
                    "zsh" => Zsh,
                    _ => Fish,
                }
            );
            return ExitCode.Done;
        });
        return command;
    }
}
