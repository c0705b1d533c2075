using Confluent.Kafka;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Transport;

/// <summary>Translates the client's errors into the rungs of the ladder. The only place that knows error codes.</summary>
internal static class ErrorLadder
{
    /// <summary>
    /// __STATE inside a transaction, from produce or from the call that sends the offsets: an earlier record or call has failed it
    /// already. Only the commit names the cause.
    /// </summary>
    public static readonly TxResult AlreadyFailed = new(
        TxOutcome.Abortable,
        Reason.None,
        "the transaction has failed already"
    );

    /// <summary>Runs a call of the producer and says how it ended.</summary>
    /// <param name="call">The call.</param>
    /// <param name="timeoutIsUnknown">Whether a time-out leaves open what happened, and cannot be taken up again.</param>
    public static TxResult Run(Action call, bool timeoutIsUnknown = false)
    {
        try
        {
            call();
            return TxResult.Ok;
        }
        catch (KafkaTxnRequiresAbortException e)
        {
            return Abortable(e.Error);
        }
        catch (KafkaRetriableException e)
        {
            return new TxResult(
                timeoutIsUnknown && e.Error.Code == ErrorCode.Local_TimedOut
                    ? TxOutcome.Unknown
                    : TxOutcome.Retriable,
                Reason.None,
                Text(e.Error)
            );
        }
        catch (KafkaException e)
        {
            return Other(e.Error);
        }
    }

    /// <summary>An error of produce itself: nothing of the record was sent.</summary>
    public static TxResult FromProduce(ErrorCode code, string text)
    {
        Reason refusal = RefusalOf(code);
        if (refusal != Reason.None)
        {
            return new TxResult(TxOutcome.Refused, refusal, text);
        }

        return code switch
        {
            ErrorCode.Local_Fenced or ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch =>
                new TxResult(TxOutcome.Fenced, Reason.None, text),
            ErrorCode.Local_Fatal => new TxResult(TxOutcome.Fatal, Reason.None, text),
            _ when IsMisconfiguration(code) => new TxResult(
                TxOutcome.Misconfigured,
                Reason.None,
                text
            ),
            ErrorCode.Local_State => AlreadyFailed,
            _ => new TxResult(TxOutcome.Abortable, Reason.None, text),
        };
    }

    /// <summary>Whether waiting cannot help: somebody has to change rights, topics, or settings.</summary>
    public static bool IsMisconfiguration(ErrorCode code) =>
        code
            is ErrorCode.TopicAuthorizationFailed
                or ErrorCode.GroupAuthorizationFailed
                or ErrorCode.ClusterAuthorizationFailed
                or ErrorCode.TransactionalIdAuthorizationFailed
                or ErrorCode.SaslAuthenticationFailed
                or ErrorCode.Local_Authentication
                or ErrorCode.InvalidTransactionTimeout
                or ErrorCode.UnsupportedForMessageFormat
                or ErrorCode.Local_UnknownTopic
                or ErrorCode.Local_UnknownPartition
                or ErrorCode.TopicException;

    private static TxResult Abortable(Error error)
    {
        if (error.Code == ErrorCode.Local_State)
        {
            return AlreadyFailed;
        }

        Reason refusal = RefusalOf(error.Code);
        if (refusal != Reason.None)
        {
            return new TxResult(TxOutcome.Refused, refusal, Text(error));
        }

        return new TxResult(
            IsMisconfiguration(error.Code) ? TxOutcome.Misconfigured : TxOutcome.Abortable,
            Reason.None,
            Text(error)
        );
    }

    private static TxResult Other(Error error)
    {
        TxOutcome outcome =
            IsMisconfiguration(error.Code) ? TxOutcome.Misconfigured
            : error.Code
                is ErrorCode.Local_Fenced
                    or ErrorCode.ProducerFenced
                    or ErrorCode.InvalidProducerEpoch
                ? TxOutcome.Fenced
            : TxOutcome.Fatal;
        return new TxResult(outcome, Reason.None, Text(error));
    }

    private static Reason RefusalOf(ErrorCode code) =>
        code switch
        {
            ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge => Reason.RefusedTooLarge,
            ErrorCode.InvalidTimestamp => Reason.RefusedTimestamp,
            ErrorCode.InvalidMsg or ErrorCode.InvalidRecord => Reason.Refused,
            _ => Reason.None,
        };

    private static string Text(Error error) => $"{error.Code}: {error.Reason}";
}
