using System.Collections.Immutable;
using Dedup.Host.Guards;

namespace Dedup.Host.Configuration;

/// <summary>Reads the <c>kafka</c> section: librdkafka properties, without those that carry the guarantee.</summary>
internal static class KafkaReader
{
    private static readonly string[] SecretParts = ["password", "secret", "key", "token", "jaas"];

    /// <summary>Whether a property's value must not be printed, by its name.</summary>
    public static bool IsSecretName(string name) =>
        SecretParts.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the section.</summary>
    public static KafkaSettings Read(SectionReader top, ReadContext context)
    {
        ConfigNode? node = top.Find("kafka");
        var properties = ImmutableArray.CreateBuilder<KafkaProperty>();
        if (node is { Kind: NodeKind.Mapping })
        {
            Flatten(node, "", properties, context);
        }
        else if (node is not null && !(node.Kind == NodeKind.Scalar && node.Text is null))
        {
            context.Findings.Error(
                node.Place.ToString(),
                $"'kafka' is {node.Describe()}, not a mapping",
                "write librdkafka properties below it, such as 'bootstrap.servers: localhost:9092'"
            );
            return new KafkaSettings([]);
        }

        if (!properties.Any(static p => p.Name == "bootstrap.servers"))
        {
            context.Findings.Error(
                top.Where("kafka"),
                "'kafka.bootstrap.servers' is missing",
                "add 'bootstrap.servers: host:port' below 'kafka', or give --bootstrap"
            );
        }

        return new KafkaSettings(properties.ToImmutable());
    }

    // Both 'bootstrap.servers: x' and 'bootstrap: { servers: x }' name the same property.
    private static void Flatten(
        ConfigNode node,
        string prefix,
        ImmutableArray<KafkaProperty>.Builder properties,
        ReadContext context
    )
    {
        foreach (ConfigMember member in node.Members)
        {
            string name = prefix + member.Name;
            if (member.Value.Kind == NodeKind.Mapping)
            {
                Flatten(member.Value, name + ".", properties, context);
                continue;
            }

            context.Places[$"kafka.{name}"] = member.Place;
            if (Property(name, member, context) is not { } property)
            {
                continue;
            }

            if (properties.Any(p => p.Name == name))
            {
                context.Findings.Error(
                    member.Place.ToString(),
                    $"'kafka.{name}' is set twice",
                    "keep one of them"
                );
            }
            else
            {
                properties.Add(property);
            }
        }
    }

    private static KafkaProperty? Property(string name, ConfigMember member, ReadContext context)
    {
        string where = member.Place.ToString();
        if (GuardedProperties.ReasonFor(name) is { } reason)
        {
            context.Findings.Error(
                where,
                $"'kafka.{name}' belongs to Dedup: {reason}",
                "take it out"
            );
            return null;
        }

        if (!KafkaPropertyNames.All.Contains(name))
        {
            string? near = Nearest.To(
                name,
                KafkaPropertyNames.All.Where(static n => GuardedProperties.ReasonFor(n) is null)
            );
            context.Findings.Error(
                where,
                $"'kafka.{name}' is not a property of librdkafka",
                near is null
                    ? "take it out; see CONFIGURATION.md of librdkafka"
                    : $"did you mean '{near}'?"
            );
            return null;
        }

        if (member.Value is not { Kind: NodeKind.Scalar, Text: { } text })
        {
            context.Findings.Error(
                where,
                $"'kafka.{name}' is {member.Value.Describe()}",
                "give one value"
            );
            return null;
        }

        return new KafkaProperty(name, text, member.Value.FromVariable || IsSecretName(name));
    }
}
