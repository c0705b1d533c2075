using Dedup.Host.Commands;

namespace Dedup.Host.Tests.Commands;

/// <summary>Runs a command line in this process.</summary>
internal sealed record CliRun(int Code, string Out, string Error)
{
    public static CliRun Of(params string[] args) => WithInput([], args);

    /// <summary>Runs a command line with that on its standard input.</summary>
    public static CliRun WithInput(string input, params string[] args) =>
        WithInput(System.Text.Encoding.UTF8.GetBytes(input), args);

    /// <summary>Runs a command line with that on its standard input.</summary>
    public static CliRun WithInput(byte[] input, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var context = new CliContext
        {
            Out = output,
            Error = error,
            In = () => new MemoryStream(input),
            Environment = static name => name == "HOME" ? "/home/user" : null,
            IsTerminal = false,
        };
        int code = Cli.Run(args, context);
        return new CliRun(code, output.ToString(), error.ToString());
    }
}
