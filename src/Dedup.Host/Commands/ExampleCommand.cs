using System.CommandLine;

namespace Dedup.Host.Commands;

/// <summary>An example in --help.</summary>
/// <param name="Line">What to type.</param>
/// <param name="What">What it does.</param>
internal readonly record struct Example(string Line, string What);

/// <summary>A command whose --help ends with examples.</summary>
internal sealed class ExampleCommand : Command
{
    /// <summary>Makes a command.</summary>
    public ExampleCommand(string name, string description, params Example[] examples)
        : base(name, description) => Examples = examples;

    /// <summary>The examples.</summary>
    public IReadOnlyList<Example> Examples { get; }
}
