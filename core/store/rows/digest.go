package rows

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Digest is of the rows of a table, in no order: databases sort texts differently. The zero
// value is of none.
type Digest struct {
	// Rows is how many there are.
	Rows int64
	// sum adds up the SHA-256 of each row, in lanes.
	sum [4]uint64
	row []byte
}

// What a value in a digest begins with.
const (
	tagNull  = 0
	tagInt   = 1
	tagText  = 2
	tagBytes = 3
)

// Add adds a row.
func (d *Digest) Add(row Row) error {
	b := d.row[:0]
	for _, value := range row {
		switch value := value.(type) {
		case nil:
			b = append(b, tagNull)
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, tagInt), uint64(value))
		case string:
			b = binary.BigEndian.AppendUint32(append(b, tagText), uint32(len(value)))
			b = append(b, value...)
		case []byte:
			b = binary.BigEndian.AppendUint32(append(b, tagBytes), uint32(len(value)))
			b = append(b, value...)
		default:
			return fmt.Errorf("a row has a %T", value)
		}
	}
	sum := sha256.Sum256(b)
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
	d.Rows++
	if d.row = b; cap(b) > largeRow {
		d.row = nil
	}
	return nil
}

// largeRow is what is not kept for the next row.
const largeRow = 1 << 20

// String is the sum in hex, equal for equal rows.
func (d *Digest) String() string {
	var b []byte
	for _, lane := range d.sum {
		b = binary.BigEndian.AppendUint64(b, lane)
	}
	all := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(d.Rows)))
	return hex.EncodeToString(all[:16])
}
