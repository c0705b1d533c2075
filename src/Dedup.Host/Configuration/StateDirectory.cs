namespace Dedup.Host.Configuration;

/// <summary>Where state lies when nobody says, and what a written path means.</summary>
public static class StateDirectory
{
    /// <summary>$XDG_STATE_HOME/dedup, else ~/.local/state/dedup; null without a home. Needs no root.</summary>
    public static string? Default(Func<string, string?> environment)
    {
        // The XDG specification wants a relative XDG_STATE_HOME to be ignored.
        string? xdg = environment("XDG_STATE_HOME");
        if (!string.IsNullOrEmpty(xdg) && Path.IsPathRooted(xdg))
        {
            return Path.GetFullPath(Path.Combine(xdg, "dedup"));
        }

        string? home = environment("HOME");
        return string.IsNullOrEmpty(home) || !Path.IsPathRooted(home)
            ? null
            : Path.GetFullPath(Path.Combine(home, ".local", "state", "dedup"));
    }

    /// <summary>
    /// An absolute path: one from a file is relative to that file (the working directory of a service is anything), one from
    /// an option is relative to the working directory. Null when the text cannot be a path.
    /// </summary>
    public static string? Resolve(string written, Place place, Func<string, string?> environment)
    {
        if (written.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        string path = written;
        if (path == "~" || path.StartsWith("~/", StringComparison.Ordinal))
        {
            if (environment("HOME") is not { Length: > 0 } home)
            {
                return null;
            }

            path = Path.Combine(home, path.Length > 2 ? path[2..] : "");
        }

        string? folder =
            place.Line > 0 ? Path.GetDirectoryName(Path.GetFullPath(place.Source)) : null;
        return Path.GetFullPath(path, folder ?? Environment.CurrentDirectory);
    }
}
