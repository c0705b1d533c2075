namespace Dedup.Host.Samples;

/// <summary>Cuts a stream of bytes into lines, without taking them for text: what is no UTF-8 is one bad line, not the end.</summary>
internal sealed class InputLines(Stream input)
{
    /// <summary>Longest line: 64 MiB, four times the largest record that a Kafka client sends by default settings and base64.</summary>
    public const int MaxLineBytes = 64 << 20;

    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>Number of the line that <see cref="TryNext"/> gave last, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>
    /// The next line without its end; it lives until the next call. False at the end of the stream. A line longer than
    /// <see cref="MaxLineBytes"/> comes in pieces of that size.
    /// </summary>
    public bool TryNext(out ReadOnlyMemory<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int end = _buffer
                .AsSpan(_start + searched, _end - _start - searched)
                .IndexOf((byte)'\n');
            int length = end < 0 ? _end - _start : searched + end;
            if (end >= 0 || (_ended && length > 0) || length >= MaxLineBytes)
            {
                line = _buffer.AsMemory(_start, length);
                line = line.Span.EndsWith("\r"u8) ? line[..^1] : line;
                _start += length + (end >= 0 ? 1 : 0);
                Number++;
                return true;
            }

            if (_ended)
            {
                line = default;
                return false;
            }

            searched = length;
            Fill();
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read = input.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
    }
}
