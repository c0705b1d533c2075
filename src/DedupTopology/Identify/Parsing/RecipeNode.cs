using System.Collections.Immutable;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>A named value in a map.</summary>
/// <param name="Name">The name as written.</param>
/// <param name="Line">Line of the name, from 1; 0 on the command line.</param>
/// <param name="Value">The value.</param>
public sealed record RecipeMember(string Name, int Line, RecipeNode Value);

/// <summary>
/// Configuration as a neutral tree, so that YAML and the command line share one parser: a scalar, a map, or a list, each with
/// the line it stands on.
/// </summary>
public sealed class RecipeNode
{
    private RecipeNode(
        int line,
        string? scalar,
        ImmutableArray<RecipeMember> members,
        ImmutableArray<RecipeNode> items
    )
    {
        Line = line;
        Scalar = scalar;
        Members = members;
        Items = items;
    }

    /// <summary>Line in the file, from 1; 0 on the command line.</summary>
    public int Line { get; }

    /// <summary>Text of a scalar, empty for an empty one; null for a map or list.</summary>
    public string? Scalar { get; }

    /// <summary>Members of a map in order, repeated names included; default for anything else.</summary>
    public ImmutableArray<RecipeMember> Members { get; }

    /// <summary>Items of a list; default for anything else.</summary>
    public ImmutableArray<RecipeNode> Items { get; }

    /// <summary>Whether it is a scalar.</summary>
    public bool IsScalar => Scalar is not null;

    /// <summary>Whether it is a map.</summary>
    public bool IsMap => !Members.IsDefault;

    /// <summary>Whether it is a list.</summary>
    public bool IsList => !Items.IsDefault;

    /// <summary>A scalar; null counts as an empty one.</summary>
    public static RecipeNode Of(string? scalar, int line = 0) =>
        new(line, scalar ?? "", default, default);

    /// <summary>A map.</summary>
    public static RecipeNode Map(IEnumerable<RecipeMember> members, int line = 0) =>
        new(line, null, [.. members], default);

    /// <summary>A list.</summary>
    public static RecipeNode List(IEnumerable<RecipeNode> items, int line = 0) =>
        new(line, null, default, [.. items]);
}

/// <summary>Something wrong in a recipe.</summary>
/// <param name="Line">Line in the file, from 1; 0 on the command line.</param>
/// <param name="What">What is wrong, naming the thing.</param>
/// <param name="Fix">What to write instead.</param>
public sealed record RecipeError(int Line, string What, string Fix)
{
    /// <inheritdoc/>
    public override string ToString() =>
        Line > 0 ? $"line {Line}: {What}: {Fix}" : $"{What}: {Fix}";
}

/// <summary>The parts of a pipeline that make its recipe, each null where the user wrote nothing.</summary>
public sealed record RecipeNodes
{
    /// <summary><c>id:</c>; required.</summary>
    public RecipeNode? Id { get; init; }

    /// <summary><c>scope:</c>.</summary>
    public RecipeNode? Scope { get; init; }

    /// <summary><c>fingerprint:</c>.</summary>
    public RecipeNode? Fingerprint { get; init; }

    /// <summary><c>id-prefix:</c>.</summary>
    public RecipeNode? Prefix { get; init; }

    /// <summary><c>json:</c>, the limits <c>max-depth</c> and <c>max-bytes</c>.</summary>
    public RecipeNode? Json { get; init; }

    /// <summary>Line of the pipeline, for what is missing.</summary>
    public int Line { get; init; }
}

/// <summary>What came of parsing: a recipe, or all that is wrong.</summary>
/// <param name="Recipe">The recipe, null when there are errors.</param>
/// <param name="Errors">All errors, in the order of lines.</param>
public sealed record RecipeResult(Recipe? Recipe, ImmutableArray<RecipeError> Errors);
