using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;

namespace Dedup.Kafka.Native;

/// <summary>
/// Reaches the native handles that Confluent.Kafka holds: the one file that depends on its internals. When they cannot be
/// reached, the managed transport takes over.
/// </summary>
public static class NativeHandles
{
    private static readonly PropertyInfo? Property = typeof(Handle).GetProperty(
        "LibrdkafkaHandle",
        BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public
    );

    /// <summary>Why the native transport cannot be used, null when it can. Asked once, at the start.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    /// <summary>The handle as a SafeHandle; its owner is the client, which must outlive every use.</summary>
    internal static SafeHandle Of(Handle handle) =>
        (SafeHandle?)Property?.GetValue(handle)
        ?? throw new InvalidOperationException(
            "Confluent.Kafka's native handle cannot be reached."
        );

    private static string? FindObstacle()
    {
        if (Environment.GetEnvironmentVariable("DEDUP_TRANSPORT") == "managed")
        {
            return "DEDUP_TRANSPORT=managed";
        }

        if (Property is null || !typeof(SafeHandle).IsAssignableFrom(Property.PropertyType))
        {
            return "Confluent.Kafka no longer has Handle.LibrdkafkaHandle";
        }

        if (nint.Size != 8)
        {
            return "the layout of native messages is known for 64 bits only";
        }

        try
        {
            return LibRdKafka.Version() == Library.Version
                ? null
                : "another librdkafka was loaded than the one that Confluent.Kafka uses";
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return e.Message;
        }
    }
}

/// <summary>Text from the C library.</summary>
internal static unsafe class NativeText
{
    public static string Read(byte* text) =>
        text is null ? "" : Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>A name as bytes ended by zero, kept for the life of the process; there are few.</summary>
    public static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + '\0');

    public static ReadOnlySpan<byte> Span(byte* text) =>
        MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
}

/// <summary>A reference to a consumer's queue; destroyed before the consumer is closed.</summary>
internal sealed class QueueHandle : SafeHandle
{
    public QueueHandle(nint queue)
        : base(0, ownsHandle: true) => SetHandle(queue);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibRdKafka.QueueDestroy(handle);
        return true;
    }
}

/// <summary>A reference to a producer's topic; destroyed before the producer is.</summary>
internal sealed class TopicHandle : SafeHandle
{
    public TopicHandle(nint topic)
        : base(0, ownsHandle: true) => SetHandle(topic);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibRdKafka.TopicDestroy(handle);
        return true;
    }
}
