package bolt

import (
	"bytes"
	"encoding/binary"
	"io"
)

const (
	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10
	bucketFlag   = 0x01 // of a leaf's element: the value is a bucket
	elementSize  = 16
	bucketHead   = 16 // of a bucket's value: its page (8), 0 for one within; a sequence (8)
)

// verify walks every page that the file uses, by reading and not through the memory
// map, and refuses one that bbolt could not walk: it recurses without end where a
// page is its own child, and finds no record below a key out of order, which would
// be read as "absent". What the records hold is not looked at: store/sealed does. It
// answers how many pages are free.
func verify(file io.ReaderAt, m meta) (free uint64, err error) {
	w := &walk{file: file, meta: m, seen: make([]bool, m.pages)}
	if free, err = w.readFreelist(); err != nil {
		return 0, err
	}
	w.todo = []uint64{m.root}
	for len(w.todo) > 0 {
		last := len(w.todo) - 1
		id := w.todo[last]
		w.todo = w.todo[:last]
		page, err := w.page(id)
		if err == nil {
			err = w.elements(id, page)
		}
		if err != nil {
			return 0, err
		}
	}
	return free, nil
}

// A walk is one verify.
type walk struct {
	meta
	file io.ReaderAt
	seen []bool   // pages in use, or free
	todo []uint64 // pages still to look at
}

// page reads a page, with those that it flows over into, and marks them as seen.
func (w *walk) page(id uint64) ([]byte, error) {
	if id < 2 || id >= w.pages {
		return nil, damaged("page %d does not exist", id)
	}
	head := make([]byte, pageHead)
	if _, err := w.file.ReadAt(head, int64(id)*w.pageSize); err != nil {
		return nil, err
	}
	count := 1 + uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head) != id || count > w.pages-id {
		return nil, damaged("page %d is not what it says", id)
	}
	for i := id; i < id+count; i++ {
		if w.seen[i] {
			return nil, damaged("page %d is used twice", i)
		}
		w.seen[i] = true
	}
	page := make([]byte, count*uint64(w.pageSize))
	_, err := w.file.ReadAt(page, int64(id)*w.pageSize)
	return page, err
}

// elements looks at what a page holds and notes the pages below it.
func (w *walk) elements(id uint64, page []byte) error {
	if len(page) < pageHead {
		return damaged("page %d is malformed", id)
	}
	flags, count := binary.NativeEndian.Uint16(page[8:]), int(binary.NativeEndian.Uint16(page[10:]))
	if flags != branchFlag && flags != leafFlag || flags == branchFlag && count == 0 ||
		pageHead+count*elementSize > len(page) {
		return damaged("page %d is malformed", id)
	}
	var last []byte
	for i := range count {
		key, value, ok := readElement(page, pageHead+i*elementSize, flags)
		if !ok || i > 0 && bytes.Compare(last, key) >= 0 {
			return damaged("page %d is malformed", id)
		}
		if err := w.followElement(id, value); err != nil {
			return err
		}
		last = key
	}
	return nil
}

// followElement notes the page that an element leads to. A bucket that is small has its only
// page within the element, after its head.
func (w *walk) followElement(id uint64, value []byte) error {
	switch {
	case value == nil:
		return nil
	case len(value) < 8:
		return damaged("page %d is malformed", id)
	case binary.NativeEndian.Uint64(value) != 0:
		w.todo = append(w.todo, binary.NativeEndian.Uint64(value))
		return nil
	case len(value) < bucketHead+pageHead || binary.NativeEndian.Uint16(value[bucketHead+8:]) != leafFlag:
		return damaged("page %d is malformed", id)
	}
	return w.elements(id, value[bucketHead:])
}

// readElement reads one element of a page: its key, and where it leads to: the number of
// a page, or a bucket; nil for a record.
func readElement(page []byte, at int, flags uint16) (key, value []byte, ok bool) {
	e := page[at : at+elementSize]
	if flags == branchFlag {
		key, ok = bytesAt(page, at, binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]))
		return key, e[8:16], ok
	}
	pos, size := binary.NativeEndian.Uint32(e[4:]), binary.NativeEndian.Uint32(e[8:])
	if key, ok = bytesAt(page, at, pos, size); !ok {
		return nil, nil, false
	}
	value, ok = bytesAt(page, at, pos+size, binary.NativeEndian.Uint32(e[12:]))
	if binary.NativeEndian.Uint32(e)&bucketFlag == 0 {
		value = nil
	}
	return key, value, ok
}

// bytesAt is the bytes that stand so far after an element.
func bytesAt(page []byte, at int, pos, size uint32) ([]byte, bool) {
	begin := uint64(at) + uint64(pos)
	if begin > uint64(len(page)) || uint64(size) > uint64(len(page))-begin {
		return nil, false
	}
	return page[begin : begin+uint64(size)], true
}

// manyFree is the count of a list of free pages that has it before the list.
const manyFree = 0xFFFF

// readFreelist reads the list of free pages, and reports how many there are: one that is also
// in use would be overwritten.
func (w *walk) readFreelist() (uint64, error) {
	if w.freelist == noFreelist {
		return 0, nil
	}
	page, err := w.page(w.freelist)
	if err != nil {
		return 0, err
	}
	list, count := page[pageHead:], uint64(binary.NativeEndian.Uint16(page[10:]))
	if count == manyFree {
		count, list = binary.NativeEndian.Uint64(list), list[8:]
	}
	if binary.NativeEndian.Uint16(page[8:]) != freelistFlag || count > uint64(len(list)/8) {
		return 0, damaged("the list of free pages is malformed")
	}
	for i := range count {
		id := binary.NativeEndian.Uint64(list[8*i:])
		if id < 2 || id >= w.pages || w.seen[id] {
			return 0, damaged("the list of free pages is malformed")
		}
		w.seen[id] = true
	}
	return count, nil
}
