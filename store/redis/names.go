package redis

import (
	"strings"

	"github.com/attestgate/caddy-attest/store"
)

// names makes Redis keys and channels. What stands in braces decides the Cluster
// slot; neither prefix nor names can hold one.
type names struct{ prefix string }

func (n names) record(partition, key string) string {
	return n.prefix + "r:{" + partition + "}" + key
}

// records is the pattern of all records' keys. No name holds a character that a
// pattern knows.
func (n names) records() string { return n.prefix + "r:{*" }

// parseRecord is the way back from record.
func (n names) parseRecord(name string) (store.Ref, bool) {
	rest, ours := strings.CutPrefix(name, n.prefix+"r:{")
	partition, key, ok := strings.Cut(rest, "}")
	return store.Ref{Partition: partition, Key: key}, ours && ok && store.CheckKeys(partition, key) == nil
}

func (n names) tag(tag string) string { return n.prefix + "t:{" + tag + "}" }

// changes is the channel on which every change is published.
func (n names) changes() string { return n.prefix + "changes" }

// echo is the channel on which one watcher hears itself.
func (n names) echo(id string) string { return n.prefix + "echo:" + id }

// epoch is the key of one primary's epoch; the tag decides the slot.
func (n names) epoch(tag string) string { return n.prefix + "epoch:{" + tag + "}" }

// hintMember is how a tag names a record: partition and key, between them a space that
// is in neither.
func hintMember(ref store.Ref) string { return ref.Partition + " " + ref.Key }

func parseHintMember(text string) (store.Ref, bool) {
	partition, key, ok := strings.Cut(text, " ")
	return store.Ref{Partition: partition, Key: key}, ok && store.CheckKeys(partition, key) == nil
}

// announcement is what is published of an Apply: the partition and the keys that
// changed, blind ones left out; empty where there are none.
func announcement(partition string, ops []store.Op) string {
	var b strings.Builder
	for i := range ops {
		if ops[i].Blind {
			continue
		}
		if b.Len() == 0 {
			b.WriteString(partition)
		}
		b.WriteByte(' ')
		b.WriteString(ops[i].Key)
	}
	return b.String()
}

// parseAnnouncement is the way back. What is no announcement of ours names nothing.
func parseAnnouncement(text string) []store.Ref {
	words := strings.Split(text, " ")
	if len(words) > 1+store.MaxOps || store.CheckKeys(words[0], words[1:]...) != nil {
		return nil
	}
	refs := make([]store.Ref, 0, len(words)-1)
	for _, key := range words[1:] {
		refs = append(refs, store.Ref{Partition: words[0], Key: key})
	}
	return refs
}
