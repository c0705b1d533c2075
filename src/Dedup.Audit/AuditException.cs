namespace Dedup.Audit;

/// <summary>The audit cannot be made. The message says what happened, to what, and what to do about it, in one line.</summary>
public sealed class AuditException : Exception
{
    /// <summary>Makes an exception without words.</summary>
    public AuditException() { }

    /// <summary>Makes an exception.</summary>
    public AuditException(string message)
        : base(message) { }

    /// <summary>Makes an exception with its cause.</summary>
    public AuditException(string message, Exception inner)
        : base(message, inner) { }
}
