using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Audit.Contents;

/// <summary>The verdict that <c>headers: verdict</c> puts behind all others.</summary>
internal static class VerdictHeader
{
    private static readonly byte[] Name = Encoding.UTF8.GetBytes(HeaderNames.Verdict);

    private static readonly byte[][] Verdicts =
    [
        .. Enumerable
            .Range(0, VerdictText.Count)
            .Select(static v => Encoding.UTF8.GetBytes(VerdictText.Of((Verdict)v))),
    ];

    /// <summary>
    /// Reads it from the last of the first <paramref name="headers"/> headers; false when that is another one. A text that is no
    /// verdict gives <see cref="CleanEntry.NoVerdict"/>.
    /// </summary>
    public static bool TryRead(in RecordView record, int headers, out byte verdict)
    {
        verdict = CleanEntry.NoVerdict;
        if (headers == 0)
        {
            return false;
        }

        record.Batch.GetHeader(
            record.Index,
            headers - 1,
            out ReadOnlySpan<byte> name,
            out ReadOnlySpan<byte> value,
            out bool isNull
        );
        if (isNull || !name.SequenceEqual(Name))
        {
            return false;
        }

        for (int i = 0; i < Verdicts.Length; i++)
        {
            if (value.SequenceEqual(Verdicts[i]))
            {
                verdict = (byte)i;
            }
        }

        return true;
    }

    /// <summary>The name of what <see cref="TryRead"/> gave, for people.</summary>
    public static string NameOf(byte verdict) =>
        verdict == CleanEntry.NoVerdict ? "none" : VerdictText.Of((Verdict)verdict);
}
