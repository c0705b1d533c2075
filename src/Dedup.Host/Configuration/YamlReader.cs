using Dedup.Host.Guards;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Dedup.Host.Configuration;

/// <summary>
/// YAML text to <see cref="ConfigNode"/>, with the line of every name and value. Reads the parser's events rather than
/// YamlDotNet's object model: that one stops at the first repeated name and follows aliases without a bound.
/// </summary>
public sealed class YamlReader
{
    /// <summary>Largest file: a thousand pipelines fit into a tenth of it, and a file given by mistake is refused at once.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>Deepest nesting; the deepest setting there is lies at 6.</summary>
    public const int MaxDepth = 32;

    /// <summary>Most nodes with aliases expanded, so that a few lines of aliases cannot fill the memory.</summary>
    public const int MaxNodes = 100_000;

    private readonly string _source;
    private readonly Variables _variables;
    private readonly FindingList _findings;
    private readonly Dictionary<string, (ConfigNode Node, int Size)> _anchors = new(
        StringComparer.Ordinal
    );
    private int _nodes;

    private YamlReader(string source, Variables variables, FindingList findings)
    {
        _source = source;
        _variables = variables;
        _findings = findings;
    }

    /// <summary>Reads a text; null when it is not YAML at all. Never throws.</summary>
    public static ConfigNode? Read(
        string source,
        string yaml,
        Variables variables,
        FindingList findings
    )
    {
        var reader = new YamlReader(source, variables, findings);
        if (yaml.Length > MaxBytes)
        {
            findings.Error(
                source,
                $"the file is larger than {MaxBytes / 1024} KiB",
                "give Dedup's configuration file"
            );
            return null;
        }

        try
        {
            return reader.Document(new Parser(new StringReader(yaml)));
        }
        catch (YamlException e)
        {
            findings.Error(
                new Place(source, (int)e.Start.Line).ToString(),
                $"not valid YAML: {e.Message}",
                "mend the syntax here or just above (often indentation, a missing space after ':', or a quote)"
            );
            return null;
        }
        catch (ConfigTooLargeException e)
        {
            findings.Error(new Place(source, e.Line).ToString(), e.Message, "write it plainly");
            return null;
        }
        catch (Exception e)
            when (e
                    is InvalidOperationException
                        or ArgumentException
                        or FormatException
                        or OverflowException
            )
        {
            // The YAML library throws these on some malformed texts instead of its own exception.
            findings.Error(source, $"not valid YAML: {e.Message}", "mend the syntax");
            return null;
        }
    }

    private ConfigNode? Document(Parser parser)
    {
        parser.Consume<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out _))
        {
            _findings.Error(
                _source,
                "the file is empty",
                "write at least kafka and pipelines; see docs/configuration.md"
            );
            return null;
        }

        ConfigNode root = Node(parser, 0);
        parser.Consume<DocumentEnd>();
        if (parser.TryConsume<DocumentStart>(out DocumentStart? second))
        {
            _findings.Error(
                At(second.Start).ToString(),
                "a second YAML document",
                "keep one document in the file"
            );
        }

        return root;
    }

    private ConfigNode Node(Parser parser, int depth)
    {
        ParsingEvent e = parser.Current ?? throw new YamlException("the file ends too early");
        if (depth > MaxDepth)
        {
            throw new ConfigTooLargeException("nested too deeply", (int)e.Start.Line);
        }

        Count(1, e);
        int before = _nodes;
        switch (e)
        {
            case AnchorAlias alias:
                parser.MoveNext();
                return Alias(alias);
            case Scalar scalar:
                parser.MoveNext();
                return Remember(scalar, Value(scalar), before);
            case SequenceStart start:
                return Remember(start, List(parser, start, depth), before);
            case MappingStart start:
                return Remember(start, Map(parser, start, depth), before);
            default:
                throw new YamlException(e.Start, e.End, "unexpected content");
        }
    }

    private ConfigNode Alias(AnchorAlias alias)
    {
        if (_anchors.TryGetValue(alias.Value.Value, out (ConfigNode Node, int Size) known))
        {
            Count(known.Size, alias);
            return known.Node;
        }

        _findings.Error(
            At(alias.Start).ToString(),
            $"the alias '*{alias.Value.Value}' names no anchor above it",
            $"set the anchor '&{alias.Value.Value}' first, or quote a value that begins with '*'"
        );
        return ConfigNode.Scalar(At(alias.Start), null);
    }

    private ConfigNode Value(Scalar scalar)
    {
        bool plain = scalar.Style == ScalarStyle.Plain;
        if (plain && scalar.Value is "" or "~" or "null" or "Null" or "NULL")
        {
            return ConfigNode.Scalar(At(scalar.Start), null);
        }

        return _variables.Scalar(At(scalar.Start), scalar.Value, _findings);
    }

    private ConfigNode List(Parser parser, SequenceStart start, int depth)
    {
        parser.MoveNext();
        var items = new List<ConfigNode>();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Node(parser, depth + 1));
        }

        return ConfigNode.Sequence(At(start.Start), items);
    }

    private ConfigNode Map(Parser parser, MappingStart start, int depth)
    {
        parser.MoveNext();
        var members = new List<ConfigMember>();
        var names = new Dictionary<string, Place>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (parser.Current is not Scalar name)
            {
                Place place = At(parser.Current!.Start);
                _findings.Error(
                    place.ToString(),
                    "a name has to be plain text",
                    "write 'name: value'"
                );
                _ = Node(parser, depth + 1);
                _ = Node(parser, depth + 1);
                continue;
            }

            parser.MoveNext();
            Place at = At(name.Start);
            ConfigNode value = Node(parser, depth + 1);
            if (names.TryAdd(name.Value, at))
            {
                members.Add(new ConfigMember(name.Value, at, value));
            }
            else
            {
                _findings.Error(
                    at.ToString(),
                    $"'{name.Value}' is set twice, first in line {names[name.Value].Line}",
                    "keep one of them"
                );
            }
        }

        return ConfigNode.Mapping(At(start.Start), members);
    }

    private ConfigNode Remember(NodeEvent e, ConfigNode node, int before)
    {
        if (
            !e.Tag.IsEmpty
            && !e.Tag.IsNonSpecific
            && !e.Tag.Value.StartsWith("tag:yaml.org,2002:", StringComparison.Ordinal)
        )
        {
            _findings.Error(
                At(e.Start).ToString(),
                $"the YAML tag '{e.Tag.Value}' means nothing here",
                "take it out"
            );
        }

        if (!e.Anchor.IsEmpty)
        {
            _anchors[e.Anchor.Value] = (node, 1 + _nodes - before);
        }

        return node;
    }

    private void Count(int nodes, ParsingEvent e)
    {
        _nodes += nodes;
        if (_nodes > MaxNodes)
        {
            throw new ConfigTooLargeException(
                $"more than {MaxNodes} values (aliases expanded)",
                (int)e.Start.Line
            );
        }
    }

    private Place At(Mark mark) => new(_source, (int)mark.Line);

    private sealed class ConfigTooLargeException(string message, int line) : Exception(message)
    {
        public int Line { get; } = line;
    }
}
