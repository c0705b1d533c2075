using System.Text;
using Dedup.Host.Guards;

namespace Dedup.Host.Configuration;

/// <summary>
/// Puts environment variables into values: <c>${NAME}</c>, <c>${NAME:-default}</c>; <c>$${</c> stands for <c>${</c> itself.
/// It works on values after YAML was read, so what a variable holds can never change the structure of the file.
/// </summary>
public sealed class Variables
{
    private readonly Func<string, string?> _lookUp;

    /// <summary>Makes a substitution over a way to look variables up.</summary>
    public Variables(Func<string, string?> lookUp) => _lookUp = lookUp;

    /// <summary>Makes a scalar node of a text that may name variables.</summary>
    public ConfigNode Scalar(Place place, string raw, FindingList findings)
    {
        if (!raw.Contains("${", StringComparison.Ordinal))
        {
            return ConfigNode.Scalar(place, raw);
        }

        var text = new StringBuilder();
        var shown = new StringBuilder();
        bool fromVariable = false;
        int at = 0;
        while (at < raw.Length)
        {
            int open = raw.IndexOf("${", at, StringComparison.Ordinal);
            if (open < 0)
            {
                Both(raw[at..]);
                break;
            }

            if (open > at && raw[open - 1] == '$')
            {
                Both(raw[at..(open - 1)] + "${");
                at = open + 2;
                continue;
            }

            Both(raw[at..open]);
            int close = raw.IndexOf('}', open);
            if (close < 0)
            {
                findings.Error(
                    place.ToString(),
                    "'${' without its '}'",
                    "write ${NAME} or ${NAME:-default}, or $${ for the two characters themselves"
                );
                return ConfigNode.Scalar(place, "", "${…", fromVariable: true);
            }

            fromVariable = true;
            text.Append(Resolve(place, raw[(open + 2)..close], shown, findings));
            at = close + 1;
        }

        return ConfigNode.Scalar(place, text.ToString(), shown.ToString(), fromVariable);

        void Both(string part)
        {
            text.Append(part);
            shown.Append(part);
        }
    }

    private string Resolve(Place place, string inner, StringBuilder shown, FindingList findings)
    {
        int colon = inner.IndexOf(":-", StringComparison.Ordinal);
        string name = colon < 0 ? inner : inner[..colon];
        if (!IsName(name))
        {
            shown.Append("${…}");
            findings.Error(
                place.ToString(),
                "the name between '${' and '}' is not the name of an environment variable",
                "use letters, digits, and '_', not beginning with a digit: ${NAME} or ${NAME:-default}"
            );
            return "";
        }

        shown.Append("${").Append(name).Append('}');
        string? value = _lookUp(name);
        if (!string.IsNullOrEmpty(value))
        {
            return value;
        }

        if (colon >= 0)
        {
            return inner[(colon + 2)..];
        }

        if (value is null)
        {
            findings.Error(
                place.ToString(),
                $"the environment variable {name} is not set",
                $"set {name}, or give a default: ${{{name}:-default}}"
            );
        }

        return "";
    }

    private static bool IsName(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            return false;
        }

        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return true;
    }
}
