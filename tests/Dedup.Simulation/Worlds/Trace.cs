using System.Runtime.CompilerServices;

namespace Dedup.Simulation.Worlds;

/// <summary>
/// What happened, as a running hash (always) and as lines (only when asked). Two runs are the same when their hashes are.
/// </summary>
public sealed class Trace
{
    private readonly TextWriter? _lines;
    private ulong _hash = 0xcbf29ce484222325UL;

    /// <summary>Makes a trace; lines go to the writer unless it is null.</summary>
    public Trace(TextWriter? lines) => _lines = lines;

    /// <summary>Whether lines are wanted. Ask before building one.</summary>
    public bool On => _lines is not null;

    /// <summary>Hash over all that was noted.</summary>
    public ulong Hash => _hash;

    /// <summary>Events noted.</summary>
    public long Count { get; private set; }

    /// <summary>Notes an event by numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Mix(Point point, long a = 0, long b = 0, long c = 0)
    {
        ulong h = _hash ^ ((ulong)point * 0x9E3779B97F4A7C15UL);
        h = (h ^ (ulong)a) * 0xff51afd7ed558ccdUL;
        h ^= h >> 32;
        h = (h ^ (ulong)b) * 0xc4ceb9fe1a85ec53UL;
        h ^= h >> 29;
        h = (h ^ (ulong)c) * 0x9FB21C651E98DF25UL;
        _hash = h ^ (h >> 31);
        Count++;
    }

    /// <summary>Notes bytes.</summary>
    public void Mix(Point point, ReadOnlySpan<byte> bytes)
    {
        ulong h = 14695981039346656037UL;
        foreach (byte b in bytes)
        {
            h = (h ^ b) * 1099511628211UL;
        }

        Mix(point, bytes.Length, (long)h);
    }

    /// <summary>Writes a line when lines are wanted.</summary>
    public void Line(long nowMs, string who, string what)
    {
        if (_lines is not null)
        {
            // IDs are any bytes: a trace is read with grep.
            var text = new System.Text.StringBuilder(what);
            for (int i = 0; i < text.Length; i++)
            {
                text[i] = text[i] is >= ' ' and <= '~' ? text[i] : '?';
            }

            _lines.WriteLine($"{nowMs, 8} {who, -10} {text}");
        }
    }
}

/// <summary>Places where something can happen: every port call, every broker event.</summary>
public enum Point
{
    /// <summary>None.</summary>
    None,
    SourcePoll,
    SourceSeek,
    SourcePause,
    SourceResume,
    SourceCommitted,
    SourceBounds,
    SourceOffsetAt,
    SourceSubscribe,
    SourceClose,
    SourceCoverage,
    SourceRejoin,
    SourceAssigned,
    SourceRevoked,
    SourceLost,
    SourceFault,
    SinkInitialise,
    SinkBegin,
    SinkForward,
    SinkSend,
    SinkSendOffsets,
    SinkCommit,
    SinkAbort,
    SinkRenew,
    ReaderBounds,
    ReaderOpen,
    ReaderPoll,
    ReaderClose,
    FencerFence,
    StoreOpen,
    StoreFind,
    StoreAdd,
    StoreBeginSeal,
    StoreStep,
    StoreSealFile,
    StoreSealHeader,
    StoreDropBuckets,
    StoreClose,
    StoreSetAside,
    LogAppend,
    LogMarker,
    LogCompact,
    LogDelete,
    TxnInit,
    TxnPrepare,
    TxnComplete,
    TxnTimeout,
    GroupJoin,
    GroupRebalance,
    GroupSync,
    GroupLeave,
    GroupExpire,
    GroupCommit,
    GroupOffsetsDone,
    Step,
    Fault,
    Produce,
    Topic,
    Process,
    Clock,
    Phase,
}
