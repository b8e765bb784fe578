package bolt

import (
	"encoding/binary"
	"hash/fnv"
	"io"
)

// A meta is what one of the file's two first pages says of it: bbolt writes them in
// turn, and the newer one whose checksum holds is true.
type meta struct {
	pageSize int64
	root     uint64 // page of the root bucket
	freelist uint64 // page of the list of free pages, or noFreelist
	pages    uint64 // how many the file has: those from here on were never used
	txid     uint64
}

const (
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	noFreelist  = ^uint64(0)

	metaFlag     = 0x04
	pageHead     = 16 // id (8), flags (2), count (2), overflow (4)
	metaSum      = 56 // of the meta, which follows the head: where its checksum stands
	metaEnd      = metaSum + 8
	smallestPage = 1 << 10
	largestPage  = 1 << 16
)

// readMeta reads the file without mapping it, so that a file that is shorter than
// it says is found before it can fault.
func readMeta(file io.ReaderAt) (newest meta, err error) {
	err = damaged("it is no bbolt file")
	try := func(at int64) {
		m, ok := metaAt(file, at)
		if ok && (at == 0 || at == m.pageSize) && (err != nil || m.txid > newest.txid) {
			newest, err = m, nil
		}
	}
	try(0)
	for at := int64(smallestPage); at <= largestPage; at *= 2 {
		try(at)
	}
	return newest, err
}

func metaAt(file io.ReaderAt, at int64) (meta, bool) {
	var page [pageHead + metaEnd]byte
	if _, err := file.ReadAt(page[:], at); err != nil {
		return meta{}, false
	}
	b := page[pageHead:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSum])
	m := meta{
		pageSize: int64(binary.NativeEndian.Uint32(b[8:])),
		root:     binary.NativeEndian.Uint64(b[16:]),
		freelist: binary.NativeEndian.Uint64(b[32:]),
		pages:    binary.NativeEndian.Uint64(b[40:]),
		txid:     binary.NativeEndian.Uint64(b[48:]),
	}
	return m, binary.NativeEndian.Uint32(b) == metaMagic &&
		binary.NativeEndian.Uint32(b[4:]) == metaVersion &&
		binary.NativeEndian.Uint64(b[metaSum:]) == sum.Sum64() &&
		m.pageSize >= smallestPage && m.pageSize <= largestPage
}

// checkSize refuses a file that is shorter than the pages it uses.
func (m meta) checkSize(size int64) error {
	if m.pages > uint64(size/m.pageSize) {
		return damaged("it is truncated: %d bytes, of %d pages of %d", size, m.pages, m.pageSize)
	}
	return nil
}
