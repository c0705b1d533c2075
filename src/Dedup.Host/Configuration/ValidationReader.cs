using System.Collections.Immutable;
using Dedup.Host.Schemas;

namespace Dedup.Host.Configuration;

/// <summary>Reads how the payloads of a pipeline are validated.</summary>
internal static class ValidationReader
{
    private const string Registry = "schema-registry";
    private const string Validate = "validate";
    private const string OnUnavailable = "on-unavailable";

    /// <summary>The settings of it.</summary>
    public static ImmutableArray<Setting> Settings { get; } =
    [
        new()
        {
            Path = $"pipelines.*.{Registry}",
            Kind = SettingKind.Text,
            Default = "none",
            RangeText =
                "an http or https address, with user:password@ where the registry wants one",
            Meaning = "The schema registry that payloads name their schemas of.",
            Consequence = "Only `validate` asks it; recipes skip the framing without it.",
        },
        new()
        {
            Path = $"pipelines.*.{Validate}",
            Kind = SettingKind.Choice,
            Default = "false",
            Choices = ["true", "false"],
            Meaning =
                "Whether JSON Schema payloads are validated against the schema that each names.",
            Consequence =
                "One that does not fit, names no schema, or one that the registry does not know goes to quarantine as schema-invalid. Costs some 10 µs and garbage for each record.",
        },
        new()
        {
            Path = $"pipelines.*.{OnUnavailable}",
            Kind = SettingKind.Choice,
            Default = "forward",
            Choices = ["forward", "quarantine"],
            Meaning =
                "What happens to a record whose schema is not known yet while the registry is away.",
            Consequence =
                "forward lets it go on unchecked, counted as schema-unchecked; quarantine is safe and keeps it, as schema-unavailable. A partition never waits for the registry.",
        },
    ];

    /// <summary>Reads; what is wrong is said.</summary>
    public static void Read(SectionReader section, string pipeline)
    {
        Uri? registry = Address(section);
        bool validate = section.Choice(Validate) == "true";
        bool forwards = section.Choice(OnUnavailable) == "forward";
        if (validate && section.Find(Registry) is null)
        {
            section.Context.Findings.Error(
                section.Where(Validate),
                $"'{section.PathOf(Validate)}' is true, and there is no schema registry to ask",
                $"add '{Registry}: http://host:8081', or take '{Validate}' out"
            );
        }
        else if (!validate)
        {
            RefuseIdle(section, Registry);
            RefuseIdle(section, OnUnavailable);
        }

        if (validate && registry is not null)
        {
            section.Context.Validation[pipeline] = new ValidationSettings(registry, forwards);
        }
    }

    private static void RefuseIdle(SectionReader section, string name)
    {
        if (section.Find(name) is not null)
        {
            section.Context.Findings.Error(
                section.Where(name),
                $"'{section.PathOf(name)}' has no effect without '{Validate}: true'",
                $"add '{Validate}: true', or take it out"
            );
        }
    }

    private static Uri? Address(SectionReader section)
    {
        if (section.Find(Registry) is null || section.Text(Registry) is not { } text)
        {
            return null;
        }

        if (
            Uri.TryCreate(text, UriKind.Absolute, out Uri? address)
            && address.Scheme is "http" or "https"
            && address.Host.Length > 0
            && address.Query.Length == 0
        )
        {
            return address;
        }

        // The text is not repeated: it may hold a password.
        section.Context.Findings.Error(
            section.Where(Registry),
            $"'{section.PathOf(Registry)}' is no http or https address",
            "write for example http://localhost:8081, or https://user:${PASSWORD}@registry.example"
        );
        return null;
    }
}
