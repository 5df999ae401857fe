package arr

import (
	"bytes"
	"encoding/json"
)

const (
	// maxList bounds what a list of empty values can grow to: three bytes of input can
	// take hundreds in memory.
	maxList = 10_000
	// maxDepth is where encoding/json gives up.
	maxDepth = 10_000
)

// bounded returns a body without what comes after the first maxList values of an
// array. A body that is not JSON is returned as it is.
func bounded(body []byte) []byte {
	var (
		cut  []byte // the body so far, once something was left out
		from int    // where the body goes on that is not in cut
		over int    // depth of the array of which the rest is left out, or 0
		open []int  // values before the last comma in each open array, -1 for an object
	)
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = endOfString(body, i)
		case '[':
			open = append(open, 0)
		case '{':
			open = append(open, -1)
		case ',':
			if over > 0 || len(open) == 0 || open[len(open)-1] < 0 {
				continue
			}
			if open[len(open)-1]++; open[len(open)-1] == maxList {
				cut, over = append(cut, body[from:i]...), len(open)
			}
		case ']', '}':
			if len(open) == 0 {
				return body
			}
			if over == len(open) {
				from, over = i, 0
			}
			open = open[:len(open)-1]
		}
		if len(open) > maxDepth {
			return body
		}
	}
	if cut == nil || !json.Valid(body) {
		return body
	}
	return append(cut, body[from:]...)
}

// endOfString returns the index of the quote that ends the string which begins at i.
func endOfString(body []byte, i int) int {
	for i++; i < len(body); i++ {
		n := bytes.IndexByte(body[i:], '"')
		if n < 0 {
			return len(body)
		}
		i += n
		backslashes := 0
		for body[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i
		}
	}
	return i
}
