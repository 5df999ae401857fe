package ingest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// unpackerSize is about what decompressing takes besides its output.
const unpackerSize = 64 << 10

// errDamaged is of a body that is not what its Content-Encoding says, or of an encoding
// that is not read here.
var errDamaged = errors.New("body cannot be decompressed")

// encoding is how a body was compressed, or empty for one that was not.
func encoding(h http.Header) string {
	e := strings.ToLower(strings.TrimSpace(strings.Join(h.Values("Content-Encoding"), ",")))
	if e == "identity" {
		return ""
	}
	return e
}

// unpack decompresses a body that was sent so, to no more than any body may have and in
// memory that the reservation grows by.
func (b *bodies) unpack(ctx context.Context, l *reservation, encoding string, sent []byte) ([]byte, error) {
	from, err := unpacker(encoding, sent)
	if err != nil {
		return nil, errDamaged
	}
	most := b.limit + 1
	body, err := l.readAll(ctx, from, l.size()+unpackerSize, most)
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errBusy):
		return nil, err
	case err != nil:
		return nil, errDamaged
	}
	return body, nil
}

func unpacker(encoding string, sent []byte) (io.Reader, error) {
	switch encoding {
	case "gzip", "x-gzip":
		return gzip.NewReader(bytes.NewReader(sent))
	case "deflate":
		// The standard has a header and a checksum around it, which some leave out.
		if r, err := zlib.NewReader(bytes.NewReader(sent)); err == nil {
			return r, nil
		}
		return flate.NewReader(bytes.NewReader(sent)), nil
	default:
		return nil, errDamaged
	}
}
