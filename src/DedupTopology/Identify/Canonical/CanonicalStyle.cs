using System.Text;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>How canonical JSON is written. Immutable.</summary>
/// <remarks>
/// Jcs is RFC 8785 with the deviations of docs/recipes.md, all of which keep apart what the RFC would merge or refuse. Python is,
/// byte for byte, <c>json.dumps(json.loads(payload), sort_keys=True)</c> with the given separators and ensure_ascii.
/// </remarks>
public sealed class CanonicalStyle
{
    private readonly byte[] _itemSeparator;
    private readonly byte[] _keySeparator;

    private CanonicalStyle(bool python, string itemSeparator, string keySeparator, bool ensureAscii)
    {
        IsPython = python;
        EnsureAscii = ensureAscii;
        _itemSeparator = Encoding.UTF8.GetBytes(itemSeparator);
        _keySeparator = Encoding.UTF8.GetBytes(keySeparator);
        Text = !python
            ? "jcs"
            : "python"
                + (
                    itemSeparator == ", " && keySeparator == ": "
                        ? ""
                        : $" separators={RecipeText.Quote(itemSeparator)}{RecipeText.Quote(keySeparator)}"
                )
                + (ensureAscii ? "" : " ensure-ascii=false");
    }

    /// <summary>RFC 8785.</summary>
    public static CanonicalStyle Jcs { get; } = new(false, ",", ":", false);

    /// <summary>What Python's json.dumps writes.</summary>
    public static CanonicalStyle Python(
        string itemSeparator = ", ",
        string keySeparator = ": ",
        bool ensureAscii = true
    ) => new(true, itemSeparator, keySeparator, ensureAscii);

    /// <summary>The style in canonical form.</summary>
    public string Text { get; }

    /// <summary>Whether it is Python's.</summary>
    public bool IsPython { get; }

    /// <summary>Whether all that is not ASCII is escaped.</summary>
    public bool EnsureAscii { get; }

    /// <summary>Between items.</summary>
    internal ReadOnlySpan<byte> ItemSeparator => _itemSeparator;

    /// <summary>Between name and value.</summary>
    internal ReadOnlySpan<byte> KeySeparator => _keySeparator;
}
