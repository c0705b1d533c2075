using Dedup.Host.Guards;

namespace Dedup.Host.Configuration;

/// <summary>Reads one mapping by the setting table: values with their ranges, then whatever is left over and thus unknown.</summary>
internal sealed class SectionReader
{
    private readonly string _path;
    private readonly string _tablePath;
    private readonly IReadOnlyList<Setting> _settings;
    private readonly Dictionary<string, ConfigMember> _members = new(StringComparer.Ordinal);

    /// <summary>Begins a section.</summary>
    /// <param name="node">The section; null or empty where the user left it out.</param>
    /// <param name="path">Its path with real names, empty for the top.</param>
    /// <param name="tablePath">Its path in the table, <c>*</c> for names that the user chose.</param>
    /// <param name="context">Where findings and places go.</param>
    public SectionReader(ConfigNode? node, string path, string tablePath, ReadContext context)
    {
        _path = path;
        _tablePath = tablePath;
        Context = context;
        Place = node?.Place ?? context.PlaceOf(path);
        string prefix = tablePath.Length == 0 ? "" : tablePath + ".";
        _settings =
        [
            .. SettingTable.All.Where(s =>
                s.Path.StartsWith(prefix, StringComparison.Ordinal)
                && !s.Path[prefix.Length..].Contains('.', StringComparison.Ordinal)
            ),
        ];
        if (node is { Kind: NodeKind.Mapping })
        {
            foreach (ConfigMember member in node.Members)
            {
                _members[member.Name] = member;
                context.Places[PathOf(member.Name)] = member.Place;
            }
        }
        else if (node is not null && !(node.Kind == NodeKind.Scalar && node.Text is null))
        {
            context.Findings.Error(
                node.Place.ToString(),
                $"{Title} is {node.Describe()}, not a mapping",
                $"write it as 'name: value' lines: {string.Join(", ", _settings.Select(static s => s.Name))}"
            );
        }
    }

    /// <summary>Where findings and places go.</summary>
    public ReadContext Context { get; }

    /// <summary>Where the section begins.</summary>
    public Place Place { get; }

    /// <summary>The section in messages.</summary>
    public string Title => _path.Length == 0 ? "the configuration" : $"'{_path}'";

    /// <summary>The value of a setting, null when it was left out.</summary>
    public ConfigNode? Find(string name) =>
        _members.TryGetValue(name, out ConfigMember member) ? member.Value : null;

    /// <summary>Where a setting stands, or the section when it was left out.</summary>
    public string Where(string name) => (Find(name)?.Place ?? Place).ToString();

    /// <summary>A setting's path with real names.</summary>
    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>A duration in ms; the default when it was left out or is wrong (and then it was said).</summary>
    public long Duration(string name, long? computedDefault = null) =>
        Number(name, Quantities.TryDuration, Quantities.DurationHelp, "duration", computedDefault);

    /// <summary>A size in bytes.</summary>
    public long Size(string name) =>
        Number(name, Quantities.TrySize, Quantities.SizeHelp, "size", null);

    /// <summary>A count.</summary>
    public long Count(string name, long? computedDefault = null) =>
        Number(name, Quantities.TryCount, Quantities.CountHelp, "count", computedDefault);

    /// <summary>A text; null when it was left out, empty, or is wrong (and then it was said).</summary>
    public string? Text(string name)
    {
        ConfigNode? node = Find(name);
        if (node is { Kind: NodeKind.Scalar, Text: { Length: > 0 } text })
        {
            return text;
        }

        Setting setting = Setting(name);
        if (node is null)
        {
            if (setting.Default == SettingTable.Required)
            {
                Context.Findings.Error(
                    Place.ToString(),
                    $"'{PathOf(name)}' is missing",
                    $"add '{name}:' with {setting.Range}"
                );
            }
        }
        else
        {
            Context.Findings.Error(
                Where(name),
                $"'{PathOf(name)}' is {node.Describe()}",
                $"give {setting.Range}"
            );
        }

        return null;
    }

    /// <summary>One of the words that the table knows.</summary>
    public string Choice(string name)
    {
        Setting setting = Setting(name);
        ConfigNode? node = Find(name);
        if (node is null)
        {
            return setting.Default;
        }

        if (node is { Kind: NodeKind.Scalar, Text: { } text } && setting.Choices.Contains(text))
        {
            return text;
        }

        string? near = node.Text is null ? null : Nearest.To(node.Text, setting.Choices);
        Context.Findings.Error(
            Where(name),
            $"'{PathOf(name)}' is {node.Describe()}, which is not one of {string.Join(", ", setting.Choices)}",
            near is null
                ? $"write one of them; the default is {setting.Default}"
                : $"write '{near}'"
        );
        return setting.Default;
    }

    /// <summary>Says which names are no settings, each with the nearest one that is.</summary>
    public void RefuseUnknown()
    {
        foreach (ConfigMember member in _members.Values)
        {
            if (_settings.Any(s => s.Name == member.Name))
            {
                continue;
            }

            string where = member.Place.ToString();
            if (
                _path.StartsWith("pipelines.", StringComparison.Ordinal)
                && member.Name == "accept-loss"
            )
            {
                Context.Findings.Error(
                    where,
                    "'accept-loss' is not a setting: in a file it would accept the next loss as well",
                    "take it out and give --accept-loss PIPELINE to 'dedup run' once"
                );
            }
            else if (
                _path.StartsWith("pipelines.", StringComparison.Ordinal)
                && member.Name == "percent"
            )
            {
                Context.Findings.Error(
                    where,
                    "'percent' is not a setting: it is a mode",
                    "write mode: { percent: N }"
                );
            }
            else if (SettingTable.Planned.TryGetValue(member.Name, out string? what))
            {
                Context.Findings.Error(
                    where,
                    $"'{PathOf(member.Name)}' ({what}) is not in this version",
                    "take it out"
                );
            }
            else
            {
                Context.Findings.Error(
                    where,
                    $"'{member.Name}' is not a setting of {Title}",
                    FixFor(member.Name)
                );
            }
        }
    }

    private string FixFor(string name)
    {
        string? near = Nearest.To(name, _settings.Select(static s => s.Name));
        if (near is not null)
        {
            return $"did you mean '{near}'?";
        }

        Setting? elsewhere = SettingTable.All.FirstOrDefault(s => s.Name == name);
        return elsewhere is null
            ? $"take it out; known here: {string.Join(", ", _settings.Select(static s => s.Name))}"
            : $"it belongs to '{elsewhere.Path[..Math.Max(0, elsewhere.Path.LastIndexOf('.'))].TrimEnd('.')}' as '{elsewhere.Path}'";
    }

    private Setting Setting(string name) =>
        SettingTable.Get(_tablePath.Length == 0 ? name : $"{_tablePath}.{name}");

    private delegate bool TryParse(string text, out long value);

    private long Number(
        string name,
        TryParse parse,
        string help,
        string kind,
        long? computedDefault
    )
    {
        Setting setting = Setting(name);
        if (computedDefault is not { } fallback)
        {
            _ = parse(setting.Default, out fallback);
        }

        ConfigNode? node = Find(name);
        if (node is null)
        {
            return fallback;
        }

        if (node is not { Kind: NodeKind.Scalar, Text: { } text } || !parse(text, out long value))
        {
            Context.Findings.Error(
                Where(name),
                $"'{PathOf(name)}' is {node.Describe()}, which is no {kind}",
                $"write {help}"
            );
            return fallback;
        }

        if (value < setting.Min || value > setting.Max)
        {
            Context.Findings.Error(
                Where(name),
                $"'{PathOf(name)}' is {node.Describe()}, out of its range",
                $"write a {kind} in the range {setting.Range}"
            );
            return fallback;
        }

        return value;
    }
}

/// <summary>What reading collects besides values.</summary>
internal sealed class ReadContext
{
    /// <summary>Findings.</summary>
    public required FindingList Findings { get; init; }

    /// <summary>Where each setting was written.</summary>
    public required Dictionary<string, Place> Places { get; init; }

    /// <summary>How payloads are validated, by the name of the pipeline.</summary>
    public Dictionary<string, Schemas.ValidationSettings> Validation { get; } =
        new(StringComparer.Ordinal);

    /// <summary>Reads the environment.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>Where a path was written, or the whole when it was not.</summary>
    public Place PlaceOf(string path) => Places.GetValueOrDefault(path, Places[""]);
}
