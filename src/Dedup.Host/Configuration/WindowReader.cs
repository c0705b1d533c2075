using System.Collections.Immutable;
using System.Text;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Windows;

namespace Dedup.Host.Configuration;

/// <summary>Reads <c>window</c>, <c>grace</c>, and <c>windows</c>.</summary>
internal static class WindowReader
{
    private static readonly string[] Parts = ["window", "grace"];

    /// <summary>The window classes, that of all other types first.</summary>
    public static ImmutableArray<WindowClass> Read(SectionReader section)
    {
        ImmutableArray<ConfigMember> types = Types(section);
        int slices = WindowClass.SlicesFor(types.Length + 1);
        long window = section.Duration("window");
        long grace = section.Duration("grace", window);
        ImmutableArray<WindowClass>.Builder classes = ImmutableArray.CreateBuilder<WindowClass>();
        classes.Add(
            Class(section, 0, "", window, grace, slices, section.Find("grace"), types.Length)
        );
        for (int i = 0; i < types.Length; i++)
        {
            classes.Add(OfType(section, types[i], (ushort)(i + 1), slices, types.Length));
        }

        return classes.ToImmutable();
    }

    /// <summary>The recipe with the types that have windows; says what the two need of each other.</summary>
    public static Recipe? Apply(
        Recipe? recipe,
        ImmutableArray<WindowClass> windows,
        SectionReader section
    )
    {
        if (recipe is null)
        {
            return null;
        }

        long bucket = recipe.Sources.Max(static s => s.BucketMs);
        WindowClass shortest = windows.MinBy(static w => w.WindowMs)!;
        if (shortest.WindowMs < 2 * bucket)
        {
            section.Context.Findings.Error(
                section.Where("id"),
                $"{section.Title}: a bucket of {Quantities.Duration(bucket)} does not fit twice into the window of {Quantities.Duration(shortest.WindowMs)}: what lies in the neighbouring bucket would be forgotten",
                $"write a bucket of at most {Quantities.Duration(shortest.WindowMs / 2)}, or make the window longer"
            );
        }

        if (windows.Length == 1)
        {
            return recipe;
        }

        if (recipe.Scope?.Type is null)
        {
            section.Context.Findings.Error(
                section.Where("windows"),
                $"'{section.PathOf("windows")}' names event types, and nothing says what type a record has",
                "add it to the scope: scope: { type: { header: event-type } }"
            );
            return recipe;
        }

        return recipe.WithTypes(new TypePatterns([.. windows.Skip(1).Select(static w => w.Name)]));
    }

    private static ImmutableArray<ConfigMember> Types(SectionReader section)
    {
        ConfigNode? node = section.Find("windows");
        string path = section.PathOf("windows");
        if (node is null)
        {
            return [];
        }

        if (node.Kind != NodeKind.Mapping || node.Members.Length == 0)
        {
            section.Context.Findings.Error(
                section.Where("windows"),
                $"'{path}' is {(node.Kind == NodeKind.Mapping ? "empty" : node.Describe())}",
                "write it as 'type: window' lines, such as order.created: 7d"
            );
            return [];
        }

        if (node.Members.Length >= WindowClass.MaxClasses)
        {
            section.Context.Findings.Error(
                section.Where("windows"),
                $"'{path}' has {node.Members.Length} types, more than {WindowClass.MaxClasses - 1}: each window has buckets of its own on disk and in memory, and a pipeline has {WindowClass.MaxLiveBuckets}",
                "take types of one window together with '*', or make a pipeline of its own for some"
            );
            return [];
        }

        foreach (ConfigMember member in node.Members)
        {
            string? wrong =
                member.Name.Trim('*').Length == 0
                    ? "is no type: 'window' is for all that have none of their own"
                : Encoding.UTF8.GetByteCount(member.Name) > TypePatterns.MaxPatternBytes
                    ? $"is longer than {TypePatterns.MaxPatternBytes} bytes"
                : member.Name.Contains('\0', StringComparison.Ordinal) ? "has a NUL in it"
                : null;
            if (wrong is not null)
            {
                section.Context.Findings.Error(
                    member.Place.ToString(),
                    $"'{member.Name}' in '{path}' {wrong}",
                    "name a type, or a pattern with '*' in quotes: \"heartbeat*\": 5m"
                );
            }
        }

        return node.Members;
    }

    private static WindowClass OfType(
        SectionReader section,
        ConfigMember type,
        ushort id,
        int slices,
        int types
    )
    {
        ConfigNode? windowNode = type.Value;
        ConfigNode? graceNode = null;
        if (type.Value.Kind == NodeKind.Mapping)
        {
            windowNode = null;
            foreach (ConfigMember part in type.Value.Members)
            {
                windowNode = part.Name == "window" ? part.Value : windowNode;
                graceNode = part.Name == "grace" ? part.Value : graceNode;
                if (!Parts.Contains(part.Name))
                {
                    string? near = Nearest.To(part.Name, Parts);
                    section.Context.Findings.Error(
                        part.Place.ToString(),
                        $"'{part.Name}' is not a setting of the type '{type.Name}' in '{section.PathOf("windows")}'",
                        near is null ? "known here: window, grace" : $"did you mean '{near}'?"
                    );
                }
            }
        }

        long window = Duration(section, type, windowNode, "window", Min, out bool isRead);
        long grace =
            !isRead ? window
            : graceNode is not null ? Duration(section, type, graceNode, "grace", 0, out _)
            : section.Find("grace") is null ? window
            : section.Duration("grace", window);
        return Class(
            section,
            id,
            type.Name,
            window,
            grace,
            slices,
            graceNode ?? section.Find("grace"),
            types
        );
    }

    private static long Min => SettingTable.Get("pipelines.*.window").Min;

    private static long Duration(
        SectionReader section,
        ConfigMember type,
        ConfigNode? node,
        string what,
        long min,
        out bool isRead
    )
    {
        long ms = 0;
        isRead =
            node is { Kind: NodeKind.Scalar, Text: { } text }
            && Quantities.TryDuration(text, out ms)
            && ms >= min
            && ms <= WindowClass.MaxWindowMs;
        if (!isRead)
        {
            section.Context.Findings.Error(
                (node?.Place ?? type.Place).ToString(),
                node is null
                    ? $"the type '{type.Name}' in '{section.PathOf("windows")}' has no {what}"
                    : $"the {what} of '{type.Name}' is {node.Describe()}, which is no duration from {Quantities.Duration(min)} to {Quantities.Duration(WindowClass.MaxWindowMs)}",
                $"write {Quantities.DurationHelp}"
            );
        }

        return isRead ? ms : 86_400_000;
    }

    private static WindowClass Class(
        SectionReader section,
        ushort id,
        string name,
        long window,
        long grace,
        int slices,
        ConfigNode? graceNode,
        int types
    )
    {
        int most = slices - 1;
        if (grace > window * most)
        {
            string ofType = name.Length == 0 ? "" : $" for the type '{name}'";
            string windows = most == 1 ? "the window" : $"{most} windows";
            string why = types > 3 ? $" (with {types} types in 'windows')" : "";
            section.Context.Findings.Error(
                (graceNode?.Place ?? section.Place).ToString(),
                $"'{section.PathOf("grace")}' is {graceNode?.Describe() ?? "too long"}, more than {windows} of {Quantities.Duration(window)}{ofType}{why}",
                name.Length == 0
                    ? $"write at most {Quantities.Duration(window * most)}, or make the window longer"
                    : $"write at most {Quantities.Duration(window * most)}, or give the type its own: \"{name}\": {{ window: {Quantities.Duration(window)}, grace: {Quantities.Duration(window)} }}"
            );
            grace = window;
        }

        return new WindowClass(id, name, window, grace, slices);
    }
}
