using System.Globalization;
using Confluent.Kafka;
using Dedup.Audit.Reports;
using Dedup.Host.Commands;

namespace Dedup.Host.Demo;

/// <summary>Prints how a demo ended.</summary>
internal sealed class DemoResult
{
    private const int Green = 32;
    private const int Red = 31;

    private readonly CliContext _context;
    private readonly DemoPlan _plan;

    public DemoResult(CliContext context, DemoPlan plan)
    {
        _context = context;
        _plan = plan;
    }

    /// <summary>Prints; returns the exit code.</summary>
    public int Print(AuditReport report, IReadOnlyList<DemoExample> examples)
    {
        TextWriter output = _context.Out;
        AuditCounts c = report.Counts;
        long lost = report.CountOf(FindingKind.Lost);
        long twice = report.CountOf(FindingKind.Twice);
        output.WriteLine();
        Row("in", c.In, _plan.Orders);
        Row("first", c.First, _plan.Orders - _plan.Duplicates);
        Row("duplicates", c.Duplicates, _plan.Duplicates);
        Row("lost", lost, 0);
        Row("twice", twice, 0);
        foreach (
            FindingGroup other in report.Findings.Where(static g =>
                g.Kind is not (FindingKind.Lost or FindingKind.Twice)
            )
        )
        {
            Row(other.Kind.ToString().ToLowerInvariant(), other.Count, 0);
        }

        output.WriteLine();
        foreach (DemoExample example in examples)
        {
            output.WriteLine(
                $"{example.Id}: sent {example.Input.Count} times ({Places(example.Input)}), on clean {(example.Clean.Count == 1 ? "once" : $"{example.Clean.Count} times")} ({Places(example.Clean)})"
            );
        }

        foreach (string note in report.Notes)
        {
            output.WriteLine($"note: {note}");
        }

        bool good =
            report.IsSound
            && c.In == _plan.Orders
            && c.First == _plan.Orders - _plan.Duplicates
            && c.Duplicates == _plan.Duplicates;
        output.WriteLine();
        output.WriteLine(
            good
                ? _context.Colour(
                    $"every order exactly once{(_plan.IsMock ? " (on the mock: no kill, no proof)" : ", though the worker was killed half way")}",
                    Green
                )
                : _context.Colour("this is not what was promised; please report it", Red)
        );
        return good ? ExitCode.Done : ExitCode.Found;
    }

    private void Row(string name, long value, long expected)
    {
        string number = value.ToString("#,0", CultureInfo.InvariantCulture).PadLeft(10);
        _context.Out.WriteLine(
            $"  {name, -12}{_context.Colour(number, value == expected ? Green : Red)}"
        );
    }

    private static string Places(IReadOnlyList<TopicPartitionOffset> places) =>
        places.Count == 0
            ? "nowhere"
            : $"partition {places[0].Partition.Value}, offset{(places.Count > 1 ? "s" : "")} {string.Join(", ", places.Select(static p => p.Offset.Value))}";
}
