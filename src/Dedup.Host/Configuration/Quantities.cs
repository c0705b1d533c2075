using System.Globalization;

namespace Dedup.Host.Configuration;

/// <summary>Reads and prints the quantities that users write: durations, sizes, counts, instants.</summary>
public static class Quantities
{
    private static readonly (string Unit, long Factor)[] DurationUnits =
    [
        ("ms", 1),
        ("s", 1000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
    ];

    private static readonly (string Unit, long Factor)[] SizeUnits =
    [
        ("B", 1),
        ("KB", 1000),
        ("MB", 1000_000),
        ("GB", 1000_000_000),
        ("TB", 1000_000_000_000),
        ("KiB", 1L << 10),
        ("MiB", 1L << 20),
        ("GiB", 1L << 30),
        ("TiB", 1L << 40),
    ];

    private static readonly string[] InstantFormats =
    [
        "yyyy-MM-dd'T'HH:mmK",
        "yyyy-MM-dd'T'HH:mm:ssK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFK",
        "yyyy-MM-dd HH:mm:ssK",
        "yyyy-MM-dd HH:mm:ss.FFFK",
    ];

    /// <summary>How to write a duration.</summary>
    public const string DurationHelp = "a number with a unit: 100ms, 30s, 15m, 24h, 7d, 2w";

    /// <summary>How to write a size.</summary>
    public const string SizeHelp =
        "a number with a unit: 64KiB, 512MiB, 2GiB (or KB, MB, GB for powers of ten)";

    /// <summary>How to write a count.</summary>
    public const string CountHelp = "a whole number such as 8 or 1_000_000";

    /// <summary>How to write an instant.</summary>
    public const string InstantHelp = "an ISO 8601 time with its zone: 2026-01-31T12:00:00Z";

    /// <summary>A duration in ms.</summary>
    public static bool TryDuration(string text, out long ms) =>
        TryWithUnit(text, DurationUnits, StringComparison.Ordinal, out ms);

    /// <summary>A size in bytes.</summary>
    public static bool TrySize(string text, out long bytes) =>
        TryWithUnit(text, SizeUnits, StringComparison.OrdinalIgnoreCase, out bytes);

    /// <summary>A count; underscores between digits group them.</summary>
    public static bool TryCount(string text, out long count)
    {
        count = 0;
        return text.Length is > 0 and <= 32
            && char.IsAsciiDigit(text[0])
            && char.IsAsciiDigit(text[^1])
            && long.TryParse(
                text.Replace("_", "", StringComparison.Ordinal),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out count
            );
    }

    /// <summary>An instant in ms since the epoch. The zone is required: a guess could skip hours of records.</summary>
    public static bool TryInstant(string text, out long ms)
    {
        ms = 0;
        bool hasZone =
            text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');
        if (
            !hasZone
            || !DateTimeOffset.TryParseExact(
                text,
                InstantFormats,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out DateTimeOffset instant
            )
        )
        {
            return false;
        }

        ms = instant.ToUnixTimeMilliseconds();
        return true;
    }

    /// <summary>A duration in its largest whole unit: <c>24h</c>, not <c>86400000ms</c>. Weeks are printed as days.</summary>
    public static string Duration(long ms)
    {
        if (ms == 0)
        {
            return "0s";
        }

        // Up to two days hours read better than "1d": 24h, 48h.
        (string unit, long factor) =
            ms % 86_400_000 == 0 && Math.Abs(ms) > 2 * 86_400_000 ? ("d", 86_400_000L)
            : ms % 3_600_000 == 0 ? ("h", 3_600_000L)
            : ms % 60_000 == 0 ? ("m", 60_000L)
            : ms % 1000 == 0 ? ("s", 1000L)
            : ("ms", 1L);
        return string.Create(CultureInfo.InvariantCulture, $"{ms / factor}{unit}");
    }

    /// <summary>A size in its largest whole binary unit.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        int i = 0;
        while (bytes != 0 && bytes % 1024 == 0 && i < units.Length - 1)
        {
            bytes /= 1024;
            i++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{bytes}{units[i]}");
    }

    /// <summary>A count with underscores between groups of three digits.</summary>
    public static string Count(long count) =>
        count.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '_');

    private static bool TryWithUnit(
        string text,
        (string Unit, long Factor)[] units,
        StringComparison comparison,
        out long value
    )
    {
        value = 0;
        int digits = 0;
        while (
            digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] is '.' or '_')
        )
        {
            digits++;
        }

        // 28 digits are what decimal holds; longer numbers are out of every range anyway.
        if (
            digits is 0 or > 28
            || !char.IsAsciiDigit(text[0])
            || !char.IsAsciiDigit(text[digits - 1])
        )
        {
            return false;
        }

        string unit = text[digits..].Trim();
        foreach ((string name, long factor) in units)
        {
            if (!string.Equals(name, unit, comparison))
            {
                continue;
            }

            string number = text[..digits].Replace("_", "", StringComparison.Ordinal);
            if (
                !decimal.TryParse(
                    number,
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out decimal parsed
                )
                || parsed > (decimal)long.MaxValue / factor
            )
            {
                return false;
            }

            decimal product = parsed * factor;
            value = (long)product;
            return product == value;
        }

        return false;
    }
}
