namespace Dedup.Topology.Identify.Scopes;

/// <summary>
/// 32 bits beside each remembered ID, by which a whole tenant or type can be forgotten and a tenant's IDs be counted.
/// </summary>
/// <remarks>
/// <code>
/// 31          12 11      0
/// | tenant : 20 | type : 12 |
/// </code>
/// Each half is 0 when the part is missing, else never 0. Tenants are many and types few: of 10,000 tenants one in a hundred
/// shares its 20 bits with a given one. Where two share them, forgetting one forgets the other as well, which is the harmless
/// side: state may forget.
/// </remarks>
public static class ScopeTag
{
    /// <summary>Bits of the tenant.</summary>
    public const uint TenantMask = 0xFFFFF000;

    /// <summary>Bits of the type.</summary>
    public const uint TypeMask = 0x00000FFF;

    /// <summary>The tag of a tenant and a type; an empty one counts as missing.</summary>
    public static uint Of(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> type) =>
        OfTenant(tenant) | OfType(type);

    /// <summary>The tenant's bits.</summary>
    public static uint OfTenant(ReadOnlySpan<byte> tenant) =>
        tenant.IsEmpty ? 0 : (1 + (uint)(Recipe.UnkeyedHash(tenant) % 0xFFFFF)) << 12;

    /// <summary>The type's bits.</summary>
    public static uint OfType(ReadOnlySpan<byte> type) =>
        type.IsEmpty ? 0 : 1 + (uint)(Recipe.UnkeyedHash(type) % 0xFFF);
}
