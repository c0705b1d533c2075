using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify.Scopes;

/// <summary>One part of a scope.</summary>
/// <param name="Source">Where its value comes from.</param>
/// <param name="Required">Whether a record without it is quarantined; else the part is empty.</param>
public sealed record ScopePart(IdSource Source, bool Required = false);

/// <summary>
/// Under which tenant, service, and type an ID counts: the same ID under another scope is another event.
/// </summary>
/// <remarks>A part that is missing, null, or empty is the same: an event does not become another by an absent header.</remarks>
public sealed class Scope
{
    private readonly ScopePart? _tenant;
    private readonly ScopePart? _service;
    private readonly ScopePart? _type;
    private readonly TypePatterns? _types;

    /// <summary>Makes a scope.</summary>
    /// <param name="tenant">Tenant, null for none.</param>
    /// <param name="service">Service, null for none.</param>
    /// <param name="type">Event type, null for none.</param>
    /// <param name="types">Which types have a window of their own, null for one window.</param>
    public Scope(ScopePart? tenant, ScopePart? service, ScopePart? type, TypePatterns? types = null)
    {
        _tenant = tenant;
        _service = service;
        _type = type;
        _types = type is null || types is null || types.IsTrivial ? null : types;
        Text = string.Join(
            ',',
            new[] { Write("tenant", tenant), Write("service", service), Write("type", type) }.Where(
                static t => t.Length > 0
            )
        );
    }

    /// <summary>The scope in canonical form.</summary>
    public string Text { get; }

    /// <summary>The tenant, null for none.</summary>
    public ScopePart? Tenant => _tenant;

    /// <summary>The service, null for none.</summary>
    public ScopePart? Service => _service;

    /// <summary>The type, null for none.</summary>
    public ScopePart? Type => _type;

    /// <summary>The same scope with window classes by type.</summary>
    public Scope WithTypes(TypePatterns? types) => new(_tenant, _service, _type, types);

    /// <summary>Appends the parts, each with its length, and fills tag and class. Hot path: no allocation.</summary>
    internal Reason Append(in RecordView record, IdScratch scratch, ref Identified identified)
    {
        if (
            !AppendPart(_tenant, record, scratch, out int tenant)
            || !AppendPart(_service, record, scratch, out int service)
            || !AppendPart(_type, record, scratch, out int type)
        )
        {
            return Reason.ScopeMissing;
        }

        scratch.EndScope(tenant, service, type);
        scratch.Seal(scoped: true, 0, IdKind.Bytes);
        if (_tenant is not null || _type is not null)
        {
            identified.ScopeTag = ScopeTag.Of(scratch.Tenant, scratch.Type);
        }

        if (_types is not null)
        {
            identified.Class = _types.Match(scratch.Type);
        }

        return Reason.None;
    }

    private static bool AppendPart(
        ScopePart? part,
        in RecordView record,
        IdScratch scratch,
        out int length
    )
    {
        int at = scratch.Length;
        scratch.Reserve(4)[..4].Clear();
        scratch.Advance(4);
        length = 0;
        if (part is null)
        {
            return true;
        }

        if (part.Source.AppendText(record, scratch) == Reason.None)
        {
            length = scratch.Length - at - 4;
            scratch.PatchLength(at, length);
        }
        else
        {
            scratch.Rewind(at + 4);
        }

        return length > 0 || !part.Required;
    }

    private static string Write(string name, ScopePart? part) =>
        part is null ? "" : $"{name}={part.Source.Text}{(part.Required ? "!" : "")}";
}
