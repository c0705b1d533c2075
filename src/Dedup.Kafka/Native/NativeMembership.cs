using Confluent.Kafka;

namespace Dedup.Kafka.Native;

/// <summary>Generation and member id, which Confluent.Kafka keeps inside its opaque group metadata.</summary>
internal static unsafe class NativeMembership
{
    public static (int Generation, string MemberId) Of(Handle handle)
    {
        nint metadata = LibRdKafka.GroupMetadata(NativeHandles.Of(handle).DangerousGetHandle());
        if (metadata == 0)
        {
            return (-1, "");
        }

        try
        {
            return (
                LibRdKafka.GroupMetadataGeneration(metadata),
                NativeText.Read(LibRdKafka.GroupMetadataMember(metadata))
            );
        }
        finally
        {
            LibRdKafka.GroupMetadataDestroy(metadata);
        }
    }
}
