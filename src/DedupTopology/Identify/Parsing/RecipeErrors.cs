using System.Collections.Immutable;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>Collects what is wrong, and the questions that every level of a recipe asks of its nodes.</summary>
internal sealed class RecipeErrors
{
    private readonly List<RecipeError> _errors = [];

    /// <summary>All errors by line.</summary>
    public ImmutableArray<RecipeError> ByLine => [.. _errors.OrderBy(static e => e.Line)];

    /// <summary>How many there are.</summary>
    public int Count => _errors.Count;

    /// <summary>Adds one.</summary>
    public void Add(int line, string what, string fix) =>
        _errors.Add(new RecipeError(line, what, fix));

    /// <summary>Says that a name is not known there, with the nearest one that is.</summary>
    public void Unknown(int line, string where, string name, IReadOnlyList<string> known)
    {
        string? near = Nearest(name, known);
        string all = $"known here: {string.Join(", ", known)}";
        Add(
            line,
            $"{where}: unknown '{name}'",
            near is null ? all : $"did you mean '{near}'? ({all})"
        );
    }

    /// <summary>Members of a map by name; names repeated or unknown are errors, anything but a map is one as well.</summary>
    public Dictionary<string, RecipeMember> Members(
        RecipeNode node,
        string where,
        string[] known,
        string example
    )
    {
        Dictionary<string, RecipeMember> members = new(StringComparer.Ordinal);
        if (!node.IsMap)
        {
            Add(node.Line, $"{where}: a map is expected", $"write {example}");
            return members;
        }

        foreach (RecipeMember member in node.Members)
        {
            if (!known.Contains(member.Name))
            {
                Unknown(member.Line, where, member.Name, known);
            }
            else if (!members.TryAdd(member.Name, member))
            {
                Add(
                    member.Line,
                    $"{where}: '{member.Name}' stands there twice",
                    "keep one of them"
                );
            }
        }

        return members;
    }

    /// <summary>Text of a scalar that must not be empty; null and an error for anything else.</summary>
    public string? Text(RecipeNode node, string where, string example)
    {
        if (string.IsNullOrEmpty(node.Scalar))
        {
            Add(node.Line, $"{where}: a text is expected", $"write {example}");
            return null;
        }

        return node.Scalar;
    }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public bool Flag(RecipeNode node, string where)
    {
        if (node.Scalar is "true" or "false")
        {
            return node.Scalar == "true";
        }

        Add(
            node.Line,
            $"{where}: '{node.Scalar ?? "…"}' is neither true nor false",
            "write true or false"
        );
        return false;
    }

    /// <summary>The known name nearest to one, null when none is near.</summary>
    public static string? Nearest(string name, IReadOnlyList<string> known)
    {
        string? best = null;
        int bestDistance = Math.Max(2, name.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = Distance(name, candidate);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary>Levenshtein distance, case ignored.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitute =
                    diagonal
                    + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
