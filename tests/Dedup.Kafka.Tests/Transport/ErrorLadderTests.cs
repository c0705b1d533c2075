using Confluent.Kafka;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Transport;
using Dedup.Topology.Ports;
using Shouldly;

namespace Dedup.Kafka.Tests.Transport;

/// <summary>Each error stands on the rung that the architecture gives it.</summary>
public sealed class ErrorLadderTests
{
    [Theory]
    [InlineData(ErrorCode.MsgSizeTooLarge, TxOutcome.Refused, Reason.RefusedTooLarge)]
    [InlineData(ErrorCode.InvalidTimestamp, TxOutcome.Refused, Reason.RefusedTimestamp)]
    [InlineData(ErrorCode.InvalidRecord, TxOutcome.Refused, Reason.Refused)]
    [InlineData(ErrorCode.IllegalGeneration, TxOutcome.Abortable, Reason.None)]
    [InlineData(ErrorCode.UnknownMemberId, TxOutcome.Abortable, Reason.None)]
    [InlineData(ErrorCode.TopicAuthorizationFailed, TxOutcome.Misconfigured, Reason.None)]
    public void An_abortable_error_is_told_apart_by_its_cause(
        ErrorCode code,
        TxOutcome outcome,
        Reason refusal
    )
    {
        TxResult result = ErrorLadder.Run(() =>
            throw new KafkaTxnRequiresAbortException(new Error(code))
        );
        result.Outcome.ShouldBe(outcome);
        result.Refusal.ShouldBe(refusal);
        result.Detail.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void A_retriable_time_out_may_be_taken_up_again()
    {
        var timeout = new Error(ErrorCode.Local_TimedOut);
        ErrorLadder
            .Run(() => throw new KafkaRetriableException(timeout))
            .Outcome.ShouldBe(TxOutcome.Retriable);
        ErrorLadder
            .Run(() => throw new KafkaRetriableException(timeout), timeoutIsUnknown: true)
            .Outcome.ShouldBe(TxOutcome.Unknown);
    }

    [Theory]
    [InlineData(ErrorCode.Local_Fenced, TxOutcome.Fenced)]
    [InlineData(ErrorCode.InvalidProducerEpoch, TxOutcome.Fenced)]
    [InlineData(ErrorCode.Local_Fatal, TxOutcome.Fatal)]
    [InlineData(ErrorCode.SaslAuthenticationFailed, TxOutcome.Misconfigured)]
    public void What_the_producer_does_not_survive_asks_for_a_new_one(
        ErrorCode code,
        TxOutcome outcome
    ) => ErrorLadder.Run(() => throw new KafkaException(new Error(code))).Outcome.ShouldBe(outcome);

    [Theory]
    [InlineData(ErrorCode.MsgSizeTooLarge, TxOutcome.Refused)]
    [InlineData(ErrorCode.Local_Fenced, TxOutcome.Fenced)]
    [InlineData(ErrorCode.Local_UnknownPartition, TxOutcome.Misconfigured)]
    [InlineData(ErrorCode.Local_State, TxOutcome.Abortable)]
    public void An_error_of_produce_sent_nothing_and_says_what_to_do(
        ErrorCode code,
        TxOutcome outcome
    ) => ErrorLadder.FromProduce(code, "text").Outcome.ShouldBe(outcome);

    [Fact]
    public void A_call_that_returns_is_done() =>
        ErrorLadder.Run(static () => { }).IsOk.ShouldBeTrue();

    [Fact]
    public void Settings_that_carry_the_guarantee_cannot_be_set_by_a_user()
    {
        foreach ((string name, string why) in ClientSettings.Reserved)
        {
            ArgumentException refusal = Should.Throw<ArgumentException>(() =>
                new ClientSettings([new(name, "x")])
            );
            refusal.Message.ShouldContain(name);
            refusal.Message.ShouldContain(why);
        }
    }

    [Fact]
    public void Each_client_gets_the_settings_that_the_guarantee_hangs_on()
    {
        var settings = new ClientSettings([new("bootstrap.servers", "b:1"), new("linger.ms", "7")]);
        ConsumerConfig member = settings.Member("g", "i", "c");
        member.IsolationLevel.ShouldBe(IsolationLevel.ReadCommitted);
        member.EnableAutoCommit.ShouldBe(false);
        member.EnableAutoOffsetStore.ShouldBe(false);
        member.AutoOffsetReset.ShouldBe(AutoOffsetReset.Error);
        member.GroupInstanceId.ShouldBe("i");
        settings.Member("g", null, "c").GroupInstanceId.ShouldBeNull();
        ProducerConfig producer = settings.Producer("t");
        producer.TransactionalId.ShouldBe("t");
        producer.EnableIdempotence.ShouldBe(true);
        producer.Acks.ShouldBe(Acks.All);
        producer.LingerMs.ShouldBe(7);
        settings
            .Reader("r", committedOnly: false)
            .IsolationLevel.ShouldBe(IsolationLevel.ReadUncommitted);
        // A config object must not write into the settings that the next client is made from.
        settings.Admin().Any(static p => p.Key == "transactional.id").ShouldBeFalse();
    }
}
