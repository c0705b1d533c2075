using System.Globalization;
using System.Text.Json;
using Dedup.Audit.Ledger;
using Dedup.Host.Commands;

namespace Dedup.Host.Verify;

/// <summary>Prints what <c>dedup verify --ledger</c> found.</summary>
internal static class LedgerPrinter
{
    private const int Red = 31;
    private const int Green = 32;
    private const int Yellow = 33;

    /// <summary>For people.</summary>
    public static void Print(string pipeline, LedgerReport report, CliContext context)
    {
        TextWriter output = context.Out;
        output.WriteLine($"{pipeline}: ledger");
        foreach (LedgerPartition p in report.Partitions)
        {
            string offsets = p.MarkerOffset is { } marker
                ? $"marker at {marker}, group at {(p.CommittedOffset is { } c ? $"{c}" : "no offset")}"
                : "nothing consumed";
            string found = p.Records is { } records ? $", records found {N(records)}" : "";
            output.WriteLine($"  {p.Changelog}/{p.Partition}: {Line(p.Counts)}; {offsets}{found}");
        }

        output.WriteLine($"  in sum: {Line(report.Sum)}");
        foreach (LedgerMismatch m in report.Mismatches)
        {
            output.WriteLine(context.Colour($"  MISMATCH {Text(m)}", Red));
        }

        foreach (LedgerUnknown unknown in report.Unknown)
        {
            output.WriteLine(
                context.Colour($"  unknown: {Where(unknown.Partition)}: {unknown.What}", Yellow)
            );
        }

        foreach (string note in report.Notes)
        {
            output.WriteLine(context.Colour($"  note: {note}", Yellow));
        }

        output.WriteLine(
            report.IsSound
                ? $"  {context.Colour("adds up", Green)}"
                : $"  {context.Colour("DOES NOT ADD UP", Red)}"
        );
    }

    /// <summary>Writes an object for scripts.</summary>
    public static void Write(Utf8JsonWriter json, string pipeline, LedgerReport report)
    {
        json.WriteStartObject();
        json.WriteString("pipeline", pipeline);
        json.WriteBoolean("sound", report.IsSound);
        json.WriteStartArray("partitions");
        foreach (LedgerPartition p in report.Partitions)
        {
            json.WriteStartObject();
            json.WriteString("changelog", p.Changelog);
            json.WriteNumber("partition", p.Partition);
            Counts(json, p.Counts);
            Number("markerOffset", p.MarkerOffset);
            Number("committedOffset", p.CommittedOffset);
            Number("records", p.Records);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("sum");
        Counts(json, report.Sum);
        json.WriteEndObject();
        json.WriteStartArray("mismatches");
        foreach (LedgerMismatch m in report.Mismatches)
        {
            json.WriteStartObject();
            Number("partition", m.Partition);
            json.WriteString("what", m.What);
            json.WriteNumber("ledger", m.Ledger);
            json.WriteNumber("found", m.Found);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("unknown");
        foreach (LedgerUnknown u in report.Unknown)
        {
            json.WriteStartObject();
            Number("partition", u.Partition);
            json.WriteString("what", u.What);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();

        void Number(string name, long? value)
        {
            if (value is { } v)
            {
                json.WriteNumber(name, v);
            }
        }
    }

    private static void Counts(Utf8JsonWriter json, LedgerCounts counts)
    {
        json.WriteNumber("consumed", counts.Consumed);
        json.WriteNumber("clean", counts.Clean);
        json.WriteNumber("duplicates", counts.Duplicates);
        json.WriteNumber("quarantined", counts.Quarantined);
        json.WriteNumber("dropped", counts.Dropped);
        json.WriteNumber("handedOn", counts.HandedOn);
    }

    private static string Line(LedgerCounts c)
    {
        string handedOn = c.HandedOn > 0 ? $" + handed on {N(c.HandedOn)}" : "";
        return $"consumed {N(c.Consumed)} = clean {N(c.Clean)} + duplicates {N(c.Duplicates)} + quarantined {N(c.Quarantined)} + dropped {N(c.Dropped)}{handedOn}";
    }

    private static string Text(LedgerMismatch m) =>
        $"{Where(m.Partition)}: {m.What}: {N(m.Ledger)} and {N(m.Found)}";

    private static string Where(long? partition) =>
        partition is { } p ? $"partition {p}" : "in sum";

    private static string N(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);
}
