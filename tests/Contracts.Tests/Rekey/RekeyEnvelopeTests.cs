using Dedup.Contracts.Rekey;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace Contracts.Tests.Rekey;

/// <summary>What the first hop writes before a key the second one reads back, and nothing that is read can throw.</summary>
public sealed class RekeyEnvelopeTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(2_000);

    [Fact]
    public void An_envelope_reads_back_and_leaves_the_key_behind_it_alone() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(ushort, long, long, long, bool, byte[])>(),
                static row =>
                {
                    (
                        ushort partition,
                        long offset,
                        long timestamp,
                        long clock,
                        bool isNull,
                        byte[] own
                    ) = row;
                    var envelope = new RekeyEnvelope(
                        partition,
                        offset & long.MaxValue,
                        timestamp,
                        clock,
                        isNull,
                        (PayloadCheck)(own.Length & 3)
                    );
                    byte[] key = new byte[RekeyEnvelope.Size + (isNull ? 0 : own.Length)];
                    envelope.Write(key);
                    own.AsSpan(0, isNull ? 0 : own.Length).CopyTo(key.AsSpan(RekeyEnvelope.Size));
                    return RekeyEnvelope.TryRead(key, out RekeyEnvelope back)
                        && back == envelope
                        && (isNull || key.AsSpan(RekeyEnvelope.Size).SequenceEqual(own));
                }
            )
            .Check(Many);

    [Fact]
    public void Hostile_keys_are_no_envelopes_or_name_a_place_that_can_be_packed() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<byte[]>(),
                static bytes =>
                {
                    byte[] key = [RekeyEnvelope.Version, .. bytes, .. bytes, .. bytes];
                    return !RekeyEnvelope.TryRead(key, out RekeyEnvelope envelope)
                        || envelope
                            is { Partition: >= 0 and <= RekeyEnvelope.MaxPartition, Offset: >= 0 };
                }
            )
            .Check(Many);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(7, 1_234_567)]
    [InlineData(SourcePlace.MaxPartition, (1L << 47) - 1)]
    public void A_place_keeps_partition_and_offset(int partition, long offset)
    {
        long place = SourcePlace.Pack(partition, offset);
        (SourcePlace.PartitionOf(place), SourcePlace.OffsetOf(place)).ShouldBe((partition, offset));
    }
}
