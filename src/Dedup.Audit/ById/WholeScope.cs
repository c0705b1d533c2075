using Dedup.Audit.Intake;

namespace Dedup.Audit.ById;

/// <summary>All partitions of a topic pair as one range of positions, so that records of one ID lie together wherever they arrived.</summary>
internal sealed class WholeScope
{
    private readonly PartitionScope[] _scopes;

    public WholeScope(PartitionScope[] scopes)
    {
        long input = 0;
        long clean = 0;
        _scopes = new PartitionScope[scopes.Length];
        for (int p = 0; p < scopes.Length; p++)
        {
            _scopes[p] = scopes[p] with { InputBase = input, CleanBase = clean, Whole = this };
            // One more: the tail behind the audited end has positions as well, up to the log's own end.
            input += Math.Max(scopes[p].InputEnd, scopes[p].InputHigh) - scopes[p].InputStart;
            clean += scopes[p].CleanEnd - scopes[p].CleanStart;
        }

        if (Math.Max(input, clean) >= uint.MaxValue)
        {
            throw new AuditException(
                $"{Math.Max(input, clean)} offsets are more than an audit of by-id can hold (2^32): audit a range with --started"
            );
        }

        InputPositions = input;
        CleanPositions = clean;
    }

    /// <summary>The partitions.</summary>
    public IReadOnlyList<PartitionScope> Scopes => _scopes;

    /// <summary>Positions of the input.</summary>
    public long InputPositions { get; }

    /// <summary>Positions of the clean topic.</summary>
    public long CleanPositions { get; }

    /// <summary>Partition of an input position.</summary>
    public PartitionScope OfInput(uint position)
    {
        int p = _scopes.Length - 1;
        while (p > 0 && _scopes[p].InputBase >= position)
        {
            p--;
        }

        return _scopes[p];
    }

    /// <summary>Partition of a clean position.</summary>
    public PartitionScope OfClean(uint position)
    {
        int p = _scopes.Length - 1;
        while (p > 0 && _scopes[p].CleanBase >= position)
        {
            p--;
        }

        return _scopes[p];
    }

    /// <summary>Position of an input record; <see cref="uint.MaxValue"/> when it is none of this audit.</summary>
    public uint PositionOf(int partition, long offset)
    {
        if (partition < 0 || partition >= _scopes.Length)
        {
            return uint.MaxValue;
        }

        PartitionScope scope = _scopes[partition];
        return offset < scope.InputStart || offset >= Math.Max(scope.InputEnd, scope.InputHigh)
            ? uint.MaxValue
            : (uint)(scope.InputBase + offset - scope.InputStart + 1);
    }
}
