using System.Globalization;
using System.Text;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Topology.Identify;

/// <summary>How names and values stand in the canonical text of a recipe.</summary>
internal static class RecipeText
{
    /// <summary>The name of a choice as users write it.</summary>
    public static string Of(OnMissing choice) =>
        choice switch
        {
            OnMissing.Next => "next",
            OnMissing.Raw => "raw",
            _ => "quarantine",
        };

    /// <summary>The name of a choice as users write it.</summary>
    public static string Of(Framing choice) =>
        choice switch
        {
            Framing.Auto => "auto",
            Framing.SchemaRegistry => "schema-registry",
            _ => "none",
        };

    /// <summary>As it is when it is a plain token, else quoted, so that no name can be taken for syntax.</summary>
    public static string Quote(string text)
    {
        if (
            text.Length > 0
            && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
        )
        {
            return text;
        }

        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                < ' ' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }
}
