using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace Dedup.Bench.InProcess;

/// <summary>
/// Which types the runtime allocates, as its own events tell: one sample for about every 100 KB. A diagnostic for when the
/// figure is not reached; the listener allocates itself, so it is off while the figure is taken.
/// </summary>
internal sealed class AllocationTypes : EventListener
{
    private const string Source = "Microsoft-Windows-DotNETRuntime";
    private const EventKeywords GarbageCollection = (EventKeywords)1;
    private const string Sample = "GCAllocationTick_V4";
    private readonly ConcurrentDictionary<string, long> _bytes = new();

    /// <summary>Forgets what was sampled.</summary>
    public void Clear() => _bytes.Clear();

    /// <summary>The types with the most bytes, one line each.</summary>
    public IEnumerable<string> Top(int count) =>
        _bytes
            .OrderByDescending(static pair => pair.Value)
            .Take(count)
            .Select(static pair => $"{pair.Value / 1024, 8} KB  {pair.Key}");

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == Source)
        {
            EnableEvents(eventSource, EventLevel.Verbose, GarbageCollection);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData is { EventName: Sample, Payload: { } payload, PayloadNames: { } names })
        {
            string type = (string)payload[names.IndexOf("TypeName")]!;
            long bytes = Convert.ToInt64(payload[names.IndexOf("AllocationAmount64")]!);
            _ = _bytes.AddOrUpdate(type, bytes, (_, sum) => sum + bytes);
        }
    }
}
