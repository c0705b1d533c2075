using System.Runtime.InteropServices;

namespace Dedup.Kafka.Native;

/// <summary>
/// The seven arguments of rd_kafka_produceva, with the types and flags that never change: built anew for each record they
/// are half a kilobyte of writes.
/// </summary>
internal sealed unsafe class ProduceArguments : SafeHandle
{
    private const int Count = 7;

    public ProduceArguments()
        : base(0, ownsHandle: true)
    {
        var arguments = (NativeVu*)NativeMemory.AllocZeroed(Count, (nuint)sizeof(NativeVu));
        SetHandle((nint)arguments);
        arguments[0].Type = LibRdKafka.VtypeRkt;
        arguments[1].Type = LibRdKafka.VtypePartition;
        arguments[2].Type = LibRdKafka.VtypeMessageFlags;
        arguments[2].Int = LibRdKafka.FlagCopy;
        arguments[3].Type = LibRdKafka.VtypeValue;
        arguments[4].Type = LibRdKafka.VtypeKey;
        arguments[5].Type = LibRdKafka.VtypeTimestamp;
        arguments[6].Type = LibRdKafka.VtypeHeaders;
    }

    public override bool IsInvalid => handle == 0;

    public NativeVu* Pointer => (NativeVu*)handle;

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
