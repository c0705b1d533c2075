using System.Collections.Immutable;
using System.Security.Cryptography;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Records;
using Dedup.Topology.Windows;

namespace Dedup.Host.Identity;

/// <summary>
/// Says what a recipe makes of records, and why. The recipe itself decides; this only asks it more than a lane does. Used by
/// one thread.
/// </summary>
internal sealed class Explainer
{
    // An ID to hang a scope on, to ask about one part of it.
    private static readonly ConstantSource Anything = new("-");

    private readonly Recipe _recipe;
    private readonly ImmutableArray<WindowClass> _windows;
    private readonly IdScratch _scratch = new();
    private readonly Reason[] _reasons;
    private readonly (string Name, IdSource Source, Recipe Recipe)[] _requiredParts;

    /// <summary>Makes one.</summary>
    public Explainer(Recipe recipe, ImmutableArray<WindowClass> windows)
    {
        _recipe = recipe;
        _windows = windows;
        _reasons = new Reason[recipe.Sources.Length];
        _requiredParts =
        [
            .. new[]
            {
                ("tenant", recipe.Scope?.Tenant),
                ("service", recipe.Scope?.Service),
                ("type", recipe.Scope?.Type),
            }
                .Where(static p => p.Item2 is { Required: true })
                .Select(static p =>
                    (
                        p.Item1,
                        p.Item2!.Source,
                        new Recipe([Anything], new Scope(p.Item2, service: null, type: null))
                    )
                ),
        ];
    }

    /// <summary>Explains a record.</summary>
    public Explained Explain(in RecordView record)
    {
        _recipe.Identify(record, _scratch, new SipHash(0, 0), out Identified identified);
        if (identified.Reason == Reason.None)
        {
            Explained found = Found(identified);
            return found with { PassedOver = PassedOver(record) };
        }

        return new Explained
        {
            Reason = identified.Reason,
            ScopeProblem = identified.Reason == Reason.ScopeMissing ? ScopeProblem(record) : null,
            PassedOver = identified.Reason == Reason.ScopeMissing ? [] : PassedOver(record),
        };
    }

    private Explained Found(in Identified identified) =>
        new()
        {
            Reason = Reason.None,
            Id = _scratch.Id.ToArray(),
            Kind = _scratch.Kind,
            Source = _scratch.Source,
            SourceText = _recipe.Sources[_scratch.Source].Text,
            Visible = VisibleKey.Of(_scratch, _recipe.Prefix),
            Scope = _recipe.Scope is null
                ? null
                : (_scratch.Tenant.ToArray(), _scratch.Service.ToArray(), _scratch.Type.ToArray()),
            Window = _windows[identified.Class],
            BucketMs = identified.BucketMs,
            Canonical = Canonical(),
        };

    // The scratch holds canonical JSON of some payload; whether it is what was hashed, the digest tells.
    private byte[]? Canonical() =>
        _scratch.Kind == IdKind.Content
        && SHA256.HashData(_scratch.CanonicalJson).AsSpan().SequenceEqual(_scratch.Id)
            ? _scratch.CanonicalJson.ToArray()
            : null;

    private ImmutableArray<PassedOver> PassedOver(in RecordView record)
    {
        _ = _recipe.Explain(record, _scratch, _reasons);
        var passed = ImmutableArray.CreateBuilder<PassedOver>();
        for (int i = 0; i < _reasons.Length; i++)
        {
            if (_reasons[i] != Reason.None)
            {
                IdSource source = _recipe.Sources[i];
                passed.Add(
                    new PassedOver(
                        i,
                        source.Text,
                        _reasons[i],
                        WhyText.Of(source, record, _reasons[i])
                    )
                );
            }
        }

        return passed.ToImmutable();
    }

    private string ScopeProblem(in RecordView record)
    {
        foreach ((string name, IdSource source, Recipe recipe) in _requiredParts)
        {
            recipe.Identify(record, _scratch, new SipHash(0, 0), out Identified part);
            if (part.Reason != Reason.None)
            {
                return $"{name} is required, and {source.Text} gives none";
            }
        }

        return "a required part is missing";
    }
}
