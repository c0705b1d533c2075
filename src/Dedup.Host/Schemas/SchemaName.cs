using System.Buffers.Binary;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Records;

namespace Dedup.Host.Schemas;

/// <summary>How a payload names its schema: by the registry's id, or by its GUID.</summary>
/// <param name="Id">The id; meaningful when <paramref name="Guid"/> is empty.</param>
/// <param name="Guid">The GUID, empty when it is named by id.</param>
internal readonly record struct SchemaName(int Id, Guid Guid)
{
    private const byte ById = 0;
    private const byte ByGuid = 1;
    private const int IdBytes = 1 + sizeof(int);
    private const int GuidBytes = 1 + 16;

    /// <summary>The header of the newer form: its value is 0 and an id, or 1 and a GUID, both big-endian.</summary>
    private static ReadOnlySpan<byte> Header => "__value_schema_id"u8;

    /// <summary>The schema that a record names, in the header before the payload; and where its JSON begins.</summary>
    public static bool TryRead(
        in RecordView record,
        out SchemaName name,
        out ReadOnlySpan<byte> json
    )
    {
        name = default;
        json = record.Value;
        if (record.Batch.TryGetHeader(record.Index, Header, out ReadOnlySpan<byte> header))
        {
            json = JsonPayload.Of(json);
            return TryParse(header, out name);
        }

        if (json.Length < IdBytes || json[0] != ById)
        {
            return false;
        }

        name = new SchemaName(BinaryPrimitives.ReadInt32BigEndian(json[1..]), Guid.Empty);
        json = JsonPayload.Of(json);
        return true;
    }

    /// <summary>Where the registry keeps it.</summary>
    public string Path => Guid == Guid.Empty ? $"schemas/ids/{Id}" : $"schemas/guids/{Guid}";

    /// <inheritdoc/>
    public override string ToString() => Guid == Guid.Empty ? $"{Id}" : $"{Guid}";

    private static bool TryParse(ReadOnlySpan<byte> header, out SchemaName name)
    {
        name = default;
        if (header.Length >= GuidBytes && header[0] == ByGuid)
        {
            name = new SchemaName(0, new Guid(header[1..GuidBytes], bigEndian: true));
            return name.Guid != Guid.Empty;
        }

        if (header.Length >= IdBytes && header[0] == ById)
        {
            name = new SchemaName(BinaryPrimitives.ReadInt32BigEndian(header[1..]), Guid.Empty);
            return true;
        }

        return false;
    }
}
