package backup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// pages is the file of a bbolt database, as etcd keeps its data in, read and never mapped: what it says of itself is foreign, and a library
// that maps the file ends with the process where a page points beyond it. The format is go.etcd.io/bbolt's, version 2.
type pages struct {
	file io.ReaderAt
	// size is the length of a page, and high the first page that is in no use.
	size, high uint64
	// root is the page that names the buckets.
	root uint64
	// read is how many pages were read: none is read twice in one walk, so that a ring of them is found.
	read uint64
}

const (
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	pageHeader   = 16
	itemLength   = 16
	branchPage   = 0x01
	leafPage     = 0x02
	bucketItem   = 0x01
	deepestPage  = 64
	largestPages = 256 << 20 // an object is a mebibyte; this bounds what one read takes of memory
)

// openPages reads the description of a database of that length: the newer of the two that are whole.
func openPages(file io.ReaderAt, length int64) (*pages, error) {
	var best *pages
	var newest uint64
	try := func(at int64) (size uint64) {
		b := make([]byte, 80)
		if _, err := file.ReadAt(b, at); err != nil {
			return 0
		}
		m := b[pageHeader:]
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56]) // never fails
		le := binary.LittleEndian
		size = uint64(le.Uint32(m[8:]))
		whole := le.Uint32(m) == boltMagic && le.Uint32(m[4:]) == boltVersion && le.Uint64(m[56:]) == sum.Sum64()
		if tx := le.Uint64(m[48:]); whole && size >= 512 && size <= 1<<16 && (best == nil || tx > newest) {
			best, newest = &pages{file: file, size: size, root: le.Uint64(m[16:]), high: le.Uint64(m[40:])}, tx
		}
		return size
	}
	try(0)
	for size := int64(4096); size <= 1<<16; size *= 2 {
		try(size)
	}
	switch {
	case best == nil:
		return nil, errors.New("it is no database of etcd's, or its beginning is damaged")
	case best.high > uint64(length)/best.size:
		return nil, fmt.Errorf("it says that it has %d pages, and %d are there", best.high, uint64(length)/best.size)
	}
	return best, nil
}

// page reads one, with those that follow it when its content is longer.
func (p *pages) page(id uint64) ([]byte, error) {
	if id < 2 || id >= p.high {
		return nil, fmt.Errorf("page %d is outside of the database", id)
	}
	if p.read++; p.read > p.high {
		return nil, errors.New("its pages point in a ring")
	}
	head := make([]byte, pageHeader)
	if _, err := p.file.ReadAt(head, int64(id*p.size)); err != nil {
		return nil, err
	}
	more := uint64(binary.LittleEndian.Uint32(head[12:]))
	if own := binary.LittleEndian.Uint64(head); own != id || more > p.high-id-1 || (more+1)*p.size > largestPages {
		return nil, fmt.Errorf("page %d is not what it should be", id)
	}
	b := make([]byte, (more+1)*p.size)
	_, err := p.file.ReadAt(b, int64(id*p.size))
	return b, err
}

// item is an entry of a leaf: a key and its value, or a bucket.
type item struct {
	bucket     bool
	key, value []byte
}

// walk gives each item below a page, in the order of their keys.
func (p *pages) walk(id uint64, each func(item) error) error {
	p.read = 0
	var last []byte
	return p.below(id, 0, func(i item) error {
		if last != nil && bytes.Compare(last, i.key) >= 0 {
			return errors.New("its keys are not in order")
		}
		last = i.key
		return each(i)
	})
}

func (p *pages) below(id uint64, depth int, each func(item) error) error {
	if depth > deepestPage {
		return errors.New("its pages lie too deep")
	}
	b, err := p.page(id)
	if err != nil {
		return err
	}
	return p.inPage(b, depth, each)
}

func (p *pages) inPage(b []byte, depth int, each func(item) error) error {
	le := binary.LittleEndian
	if len(b) < pageHeader {
		return errors.New("a page breaks off")
	}
	kind, n := le.Uint16(b[8:]), int(le.Uint16(b[10:]))
	if kind != branchPage && kind != leafPage || pageHeader+n*itemLength > len(b) {
		return errors.New("a page is neither leaf nor branch")
	}
	for i := range n {
		at := pageHeader + i*itemLength
		head := b[at : at+itemLength]
		if kind == branchPage {
			if err := p.below(le.Uint64(head[8:]), depth+1, each); err != nil {
				return err
			}
			continue
		}
		key, keyEnd, ok := part(b, uint64(at)+uint64(le.Uint32(head[4:])), uint64(le.Uint32(head[8:])))
		value, _, whole := part(b, keyEnd, uint64(le.Uint32(head[12:])))
		if !ok || !whole {
			return errors.New("an entry lies outside of its page")
		}
		if err := each(item{le.Uint32(head)&bucketItem != 0, key, value}); err != nil {
			return err
		}
	}
	return nil
}

// part is a piece of a page, and where it ends; false: not all of it is within.
func part(b []byte, from, length uint64) (piece []byte, end uint64, ok bool) {
	end = from + length
	if from > uint64(len(b)) || end > uint64(len(b)) {
		return nil, 0, false
	}
	return b[from:end], end, true
}

// bucket gives each item of a bucket; false: there is none of that name.
func (p *pages) bucket(name string, each func(item) error) (found bool, err error) {
	var own []byte
	err = p.walk(p.root, func(i item) error {
		if i.bucket && string(i.key) == name {
			own = i.value
		}
		return nil
	})
	if err != nil || own == nil {
		return false, err
	}
	if len(own) < 16 {
		return false, fmt.Errorf("the bucket %s breaks off", name)
	}
	if root := binary.LittleEndian.Uint64(own); root != 0 {
		return true, p.walk(root, each)
	}
	return true, p.inPage(own[16:], 0, each) // a small one lies where it is named
}
