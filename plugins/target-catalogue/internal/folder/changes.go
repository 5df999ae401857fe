package folder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
)

// maxChanges is the size of changes.ndjson from which on a new one is begun. The former one
// stays, those before go.
const maxChanges = 16 << 20

// tailChunk is how much of changes.ndjson is read at once, from its end, for the last line.
const tailChunk = 64 << 10

// change is one line of changes.ndjson.
type change struct {
	Seq       int64    `json:"seq"`
	At        string   `json:"at"`
	Source    string   `json:"source"`
	Kind      string   `json:"kind"`
	ID        string   `json:"id"`
	Op        string   `json:"op"`
	Fields    []string `json:"fields"`
	FileID    string   `json:"file_id,omitempty"`
	Path      string   `json:"path,omitempty"`
	OldPath   string   `json:"old_path,omitempty"`
	EventID   string   `json:"event_id"`
	EventTime string   `json:"event_time"`
}

func newChange(d *document, c library.Change, now time.Time) change {
	fields := c.Fields
	if fields == nil {
		fields = []string{}
	}
	return change{
		Seq: d.Seq, At: library.Stamp(now), Source: d.Source, Kind: c.Title.Kind, ID: c.Title.ID, Op: c.Op, Fields: fields,
		FileID: c.File, Path: c.Path, OldPath: c.OldPath, EventID: c.Event, EventTime: c.Time,
	}
}

// appendChanges appends those that the file does not have.
func (f *Folder) appendChanges(source string, changes []change) (err error) {
	if len(changes) == 0 {
		return nil
	}
	path := filepath.Join(f.dir, source, changesFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, f.mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	last, end, err := lastChange(file)
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
	}
	var lines bytes.Buffer
	for _, c := range changes {
		if c.Seq <= last {
			continue
		}
		line, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("write changes: %w", err)
		}
		lines.Write(append(line, '\n'))
	}
	if lines.Len() == 0 {
		return nil
	}
	if end > maxChanges {
		if err := os.Rename(path, filepath.Join(f.dir, source, formerFile)); err != nil {
			return fmt.Errorf("begin new changes: %w", err)
		}
		if err := file.Close(); err != nil {
			return err
		}
		if file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, f.mode); err != nil {
			return fmt.Errorf("begin new changes: %w", err)
		}
		end = 0
	}
	// What a crash, or a full disk, has left of a line is written over.
	if err := file.Truncate(end); err != nil {
		return fmt.Errorf("write changes: %w", err)
	}
	_, err = file.WriteAt(lines.Bytes(), end)
	if err = errors.Join(err, file.Sync(), file.Chmod(f.mode)); err != nil {
		return fmt.Errorf("write changes: %w", err)
	}
	return nil
}

// lastChange returns the number of the last whole line, and where the line ends. A line may
// be of any length: paths come from whoever sends events.
func lastChange(file *os.File) (seq, end int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	var tail []byte
	for from := info.Size(); from > 0 && bytes.Count(tail, []byte("\n")) < 2; {
		chunk := make([]byte, min(int64(max(tailChunk, len(tail))), from))
		from -= int64(len(chunk))
		if _, err := file.ReadAt(chunk, from); err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, err
		}
		tail = append(chunk, tail...)
	}
	from := info.Size() - int64(len(tail))
	tail = tail[:bytes.LastIndexByte(tail, '\n')+1]
	end = from + int64(len(tail))
	if len(tail) == 0 {
		return 0, end, nil
	}
	line := tail[bytes.LastIndexByte(tail[:len(tail)-1], '\n')+1:]
	var c change
	if err := json.Unmarshal(line, &c); err != nil {
		return 0, 0, fmt.Errorf("the last line is no change: %w", err)
	}
	return c.Seq, end, nil
}
