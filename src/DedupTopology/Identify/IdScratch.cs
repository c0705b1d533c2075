using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Dedup.Topology.Identify.Canonical;

namespace Dedup.Topology.Identify;

/// <summary>Memory that identification reuses from record to record: one for each task, used by one thread.</summary>
/// <remarks>
/// It holds the frame, the bytes that the event key is a hash of, until the next record:
/// <code>
/// 0      1
/// | tag  | ID bytes                                                       unscoped
/// | tag  | u32 n | tenant | u32 n | service | u32 n | type | ID bytes     scoped
/// tag = scoped &lt;&lt; 7 | position of the source in the chain &lt;&lt; 2 | kind of the ID
/// </code>
/// Lengths are little-endian. With its lengths the frame can be read back in one way only, so two different (scope, ID) never
/// share a frame. Hot path: in steady state nothing is allocated; buffers grow to the largest record and stay.
/// </remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design",
    "CA1001:Types that own disposable fields should be disposable",
    Justification = "The handle's finalizer frees the hash; scratches are few and live as long as their task."
)]
public sealed class IdScratch
{
    /// <summary>Bit of the tag that says that a scope follows.</summary>
    internal const byte ScopedBit = 0x80;

    private byte[] _frame = new byte[512];

    // A tenth of a microsecond cheaper than SHA256.HashData, which makes a new context for each call. Its native memory goes with
    // the finalizer of its handle: a scratch lives as long as its task.
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _tagged = [];
    private int _length;
    private int _tenantLength;
    private int _serviceLength;
    private int _typeLength;
    private int _idStart = 1;

    /// <summary>Whether <see cref="Identified.PercentHash"/> is to be filled.</summary>
    public bool WantPercentHash { get; set; }

    /// <summary>The bytes hashed for the last record that got an ID.</summary>
    public ReadOnlySpan<byte> Frame => _frame.AsSpan(0, _length);

    /// <summary>The ID of the last record that got one.</summary>
    public ReadOnlySpan<byte> Id => _frame.AsSpan(_idStart, _length - _idStart);

    /// <summary>What <see cref="Id"/> is.</summary>
    public IdKind Kind => (IdKind)(_frame[0] & 3);

    /// <summary>Which source of the chain gave <see cref="Id"/>.</summary>
    public int Source => (_frame[0] >> 2) & 31;

    /// <summary>Whether the recipe has a scope.</summary>
    public bool IsScoped => (_frame[0] & ScopedBit) != 0;

    /// <summary>The tenant of the last record, empty when missing.</summary>
    public ReadOnlySpan<byte> Tenant => IsScoped ? _frame.AsSpan(5, _tenantLength) : default;

    /// <summary>The service of the last record, empty when missing.</summary>
    public ReadOnlySpan<byte> Service =>
        IsScoped ? _frame.AsSpan(9 + _tenantLength, _serviceLength) : default;

    /// <summary>The type of the last record, empty when missing.</summary>
    public ReadOnlySpan<byte> Type =>
        IsScoped ? _frame.AsSpan(13 + _tenantLength + _serviceLength, _typeLength) : default;

    /// <summary>
    /// After a record whose ID is content: the canonical JSON that was hashed; of a payload hashed as it stands, nothing that
    /// means anything. For tools and tests.
    /// </summary>
    public ReadOnlySpan<byte> CanonicalJson => Canonical.Written;

    /// <summary>Buffers for canonical JSON.</summary>
    internal CanonicalBuffers Canonical { get; } = new();

    /// <summary>Length of the frame so far.</summary>
    internal int Length => _length;

    /// <summary>
    /// Makes the frame of an identity that somebody names, not a record: for inspect and forget. Hash <see cref="Frame"/> for
    /// its key.
    /// </summary>
    /// <param name="recipe">The recipe, of which only counts whether it has a scope.</param>
    /// <param name="source">Position of the source in the chain.</param>
    /// <param name="kind">What the ID is.</param>
    /// <param name="id">The ID; of content the 32 bytes of the digest.</param>
    /// <param name="tenant">Tenant, empty for none.</param>
    /// <param name="service">Service, empty for none.</param>
    /// <param name="type">Type, empty for none.</param>
    public void Compose(
        Recipe recipe,
        int source,
        IdKind kind,
        ReadOnlySpan<byte> id,
        ReadOnlySpan<byte> tenant = default,
        ReadOnlySpan<byte> service = default,
        ReadOnlySpan<byte> type = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(source);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(source, Recipe.MaxSources);
        Begin();
        if (recipe.Scope is not null)
        {
            AppendPart(tenant);
            AppendPart(service);
            AppendPart(type);
            EndScope(tenant.Length, service.Length, type.Length);
        }

        Append(id);
        Seal(recipe.Scope is not null, source, kind);
    }

    private void AppendPart(ReadOnlySpan<byte> part)
    {
        int at = _length;
        _ = Reserve(sizeof(uint));
        Advance(sizeof(uint));
        PatchLength(at, part.Length);
        Append(part);
    }

    /// <summary>Starts a frame without scope.</summary>
    internal void Begin()
    {
        _length = 1;
        _idStart = 1;
        _frame[0] = 0;
    }

    /// <summary>Appends bytes.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Room for that many bytes at the end; <see cref="Advance"/> makes what was written part of the frame.</summary>
    internal Span<byte> Reserve(int length)
    {
        if (_frame.Length - _length < length)
        {
            Array.Resize(
                ref _frame,
                (int)BitOperations.RoundUpToPowerOf2((uint)(_length + length))
            );
        }

        return _frame.AsSpan(_length);
    }

    /// <summary>See <see cref="Reserve"/>.</summary>
    internal void Advance(int length) => _length += length;

    /// <summary>Takes back what a source wrote before it failed.</summary>
    internal void Rewind(int length) => _length = length;

    /// <summary>SHA-256 of bytes.</summary>
    internal void Sha256(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        _sha256.AppendData(bytes);
        _ = _sha256.GetHashAndReset(digest);
    }

    /// <summary>A buffer apart from the frame.</summary>
    internal Span<byte> Tagged(int length)
    {
        if (_tagged.Length < length)
        {
            _tagged = new byte[(int)BitOperations.RoundUpToPowerOf2((uint)length)];
        }

        return _tagged.AsSpan(0, length);
    }

    /// <summary>Writes a length into four bytes reserved before.</summary>
    internal void PatchLength(int at, int length) =>
        BinaryPrimitives.WriteUInt32LittleEndian(_frame.AsSpan(at), (uint)length);

    /// <summary>Writes a byte reserved before.</summary>
    internal void PatchByte(int at, byte value) => _frame[at] = value;

    /// <summary>What has been written since that length.</summary>
    internal ReadOnlySpan<byte> Since(int start) => _frame.AsSpan(start, _length - start);

    /// <summary>Ends the scope; what follows is the ID.</summary>
    internal void EndScope(int tenantLength, int serviceLength, int typeLength)
    {
        _tenantLength = tenantLength;
        _serviceLength = serviceLength;
        _typeLength = typeLength;
        _idStart = _length;
    }

    /// <summary>Writes the tag.</summary>
    internal void Seal(bool scoped, int source, IdKind kind) =>
        _frame[0] = (byte)((scoped ? ScopedBit : 0) | (source << 2) | (int)kind);
}
