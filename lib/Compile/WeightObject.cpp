//===- WeightObject.cpp - weights as an object file -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/WeightObject.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

using namespace lowbit;
namespace ELF = llvm::ELF;

/// Cache lines and the widest vectors.
static constexpr uint64_t kAlignment = 64;

template <typename T>
static llvm::StringRef getBytes(const T &value) {
  // The targets are little-endian, and so are the machines that run this.
  return {reinterpret_cast<const char *>(&value), sizeof value};
}

WeightObject::WeightObject(llvm::raw_pwrite_stream &os,
                           const llvm::Triple &triple, llvm::StringRef symbol)
    : os(os), triple(triple), symbol(symbol),
      start(llvm::alignTo(sizeof(ELF::Elf64_Ehdr), kAlignment)) {
  os.write_zeros(start);
}

llvm::Expected<uint64_t> WeightObject::add(mlir::Attribute value) {
  llvm::SmallVector<char> expanded;
  llvm::Expected<llvm::ArrayRef<char>> bytes =
      getConstantBytes(value, expanded);
  if (!bytes)
    return bytes.takeError();
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(bytes->data()), bytes->size()));
  uint64_t offset = llvm::alignTo(size, kAlignment);
  auto [known, isNew] =
      offsets.try_emplace({bytes->size(), hash.low64, hash.high64}, offset);
  if (!isNew)
    return known->second;
  os.write_zeros(offset - size);
  os.write(bytes->data(), bytes->size());
  if (auto external = mlir::dyn_cast<ExternalAttr>(value))
    external.release();
  size = offset + bytes->size();
  return offset;
}

namespace {
/// Indices into the section table.
enum Section : uint16_t { Null, Data, Symbols, Strings, NoStack, Count };
} // namespace

void WeightObject::finish() {
  // One string table serves sections and symbols.
  std::string strings(1, '\0');
  auto addName = [&](llvm::StringRef name) {
    auto offset = uint32_t(strings.size());
    strings += name.str() + '\0';
    return offset;
  };
  ELF::Elf64_Shdr sections[Section::Count] = {};
  // Large sections lie apart, so that weights beyond 2 GiB do not come between
  // code and its data.
  bool isX86 = triple.isX86();
  ELF::Elf64_Shdr &data = sections[Section::Data];
  data.sh_name = addName(isX86 ? ".lrodata.lowbit" : ".rodata.lowbit");
  data.sh_type = ELF::SHT_PROGBITS;
  data.sh_flags = ELF::SHF_ALLOC;
  if (isX86)
    data.sh_flags |= ELF::SHF_X86_64_LARGE;
  data.sh_offset = start;
  data.sh_size = size;
  data.sh_addralign = kAlignment;

  ELF::Elf64_Sym symbolEntries[2] = {};
  symbolEntries[1].st_name = addName(symbol);
  symbolEntries[1].setBindingAndType(ELF::STB_GLOBAL, ELF::STT_OBJECT);
  symbolEntries[1].st_other = ELF::STV_HIDDEN;
  symbolEntries[1].st_shndx = Section::Data;
  symbolEntries[1].st_size = size;
  ELF::Elf64_Shdr &symbols = sections[Section::Symbols];
  symbols.sh_name = addName(".symtab");
  symbols.sh_type = ELF::SHT_SYMTAB;
  symbols.sh_offset = llvm::alignTo(start + size, 8);
  symbols.sh_size = sizeof symbolEntries;
  symbols.sh_link = Section::Strings;
  symbols.sh_info = 1;
  symbols.sh_addralign = 8;
  symbols.sh_entsize = sizeof(ELF::Elf64_Sym);

  // Says that nothing here needs an executable stack.
  ELF::Elf64_Shdr &noStack = sections[Section::NoStack];
  noStack.sh_name = addName(".note.GNU-stack");
  noStack.sh_type = ELF::SHT_PROGBITS;
  noStack.sh_offset = start;
  noStack.sh_addralign = 1;

  ELF::Elf64_Shdr &names = sections[Section::Strings];
  names.sh_name = addName(".strtab");
  names.sh_type = ELF::SHT_STRTAB;
  names.sh_offset = symbols.sh_offset + symbols.sh_size;
  names.sh_size = strings.size();
  names.sh_addralign = 1;

  ELF::Elf64_Ehdr header = {};
  llvm::copy(llvm::StringRef(ELF::ElfMagic, 4), header.e_ident);
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_type = ELF::ET_REL;
  header.e_machine = isX86 ? ELF::EM_X86_64 : ELF::EM_AARCH64;
  header.e_version = ELF::EV_CURRENT;
  header.e_shoff = llvm::alignTo(names.sh_offset + strings.size(), 8);
  header.e_ehsize = sizeof(ELF::Elf64_Ehdr);
  header.e_shentsize = sizeof(ELF::Elf64_Shdr);
  header.e_shnum = Section::Count;
  header.e_shstrndx = Section::Strings;

  os.write_zeros(symbols.sh_offset - start - size);
  os << getBytes(symbolEntries) << strings;
  os.write_zeros(header.e_shoff - names.sh_offset - strings.size());
  os << getBytes(sections);
  os.pwrite(getBytes(header).data(), sizeof header, 0);
}
