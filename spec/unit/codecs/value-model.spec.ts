import 'reflect-metadata';
import { createRequire } from 'node:module';
import * as transformer from 'class-transformer';
import { Exclude, Expose, Transform, Type } from 'class-transformer';
import * as validator from 'class-validator';
import { IsEmail, IsInt, Min, ValidateNested } from 'class-validator';
import { expect } from 'chai';
import {
  CacheDeserializationError,
  CacheSerializationError,
  InvalidOptionError,
} from '#internal/errors.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { classModel } from '#internal/codecs/value-model.js';
import { assertSameValue } from '#internal/testing/same-value.js';
import { errorOf } from '../../support/framing.js';

/** Decorates a property in either dialect: the packages know legacy decorators only. */
function decorate(
  type: { readonly prototype: object },
  name: string,
  ...decorators: PropertyDecorator[]
): void {
  for (const decorator of decorators) decorator(type.prototype, name);
}

const handOn = Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => obj[key]);

class Money {
  constructor(readonly cents: number = 0) {}
}

class Address {
  zip = 0;
}
decorate(Address, 'zip', IsInt());

class User {
  id = 1;
  email = 'a@example.org';
  passwordHash = 'hash';
  name = 'Ada';
  joined = new Date(5);
  balance = 5n;
  seen = new Map([['x', 1]]);
  roles = new Set(['admin']);
  nothing: string | undefined = undefined;
  address = new Address();
  addresses = [new Address()];

  get isNew(): boolean {
    return this.id > 100;
  }
}
decorate(User, 'id', IsInt(), Min(1));
decorate(User, 'email', IsEmail());
decorate(User, 'passwordHash', Exclude());
decorate(User, 'name', Expose({ name: 'full_name' }));
// Maps, sets and typed arrays are more than class-transformer knows.
decorate(User, 'seen', handOn);
decorate(User, 'roles', handOn);
decorate(
  User,
  'address',
  Type(() => Address),
  ValidateNested(),
);
decorate(
  User,
  'addresses',
  Type(() => Address),
);

abstract class Shape {
  id = 1;
}
class Circle extends Shape {
  radius = 2;
}
class Square extends Shape {
  side = 3;
}
class Drawing {
  shapes: Shape[] = [new Circle(), new Square()];
}
const subTypes = [
  { value: Circle, name: 'circle' },
  { value: Square, name: 'square' },
];
decorate(
  Drawing,
  'shapes',
  Type(() => Shape, { discriminator: { property: '__type', subTypes } }),
);

class Invoice {
  total = new Money(500);
}
decorate(
  Invoice,
  'total',
  Transform(({ value }: { value: Money }) => value.cents, { toPlainOnly: true }),
  Transform(({ value }: { value: number }) => new Money(value), { toClassOnly: true }),
);

const codec = new JsonCodec();
const stored = (plain: unknown): unknown => codec.decode(codec.encode(plain));

describe('classModel', () => {
  it('loads the copies of both packages that an import gives, for decorators keep their metadata there', () => {
    const require = createRequire(import.meta.url);
    expect((require('class-transformer') as typeof transformer).plainToInstance).to.equal(
      transformer.plainToInstance,
    );
    expect((require('class-validator') as typeof validator).validate).to.equal(validator.validate);
  });

  for (const [what, type, make] of [
    ['an instance', User, () => new User()],
    ['an array of instances', User, () => [new User(), new User()]],
    ['null', User, () => null],
    ['no instances', User, () => []],
    ['instances of several subclasses', Drawing, () => new Drawing()],
    ['a property that is converted both ways', Invoice, () => new Invoice()],
    ['an instance of a class without decorators', Money, () => new Money(7)],
  ] as const) {
    it(`keeps ${what}`, async () => {
      const model = classModel(type);
      assertSameValue(await model.fromPlain(stored(model.toPlain(make()))), make());
    });
  }

  it('leaves the instance alone', () => {
    const drawing = new Drawing();
    classModel(Drawing).toPlain(drawing);
    assertSameValue(drawing, new Drawing());
    expect(Object.keys(drawing.shapes[0]!)).to.deep.equal(['id', 'radius']);
  });

  it('keeps what @Exclude and @Expose hide from clients', () => {
    expect(classModel(User).toPlain(new User())).to.deep.include({
      passwordHash: 'hash',
      name: 'Ada',
    });
  });

  describe('#toPlain', () => {
    it('refuses what is no instance, with its place', () => {
      const model = classModel(User);
      expect(() => model.toPlain({ id: 1 }))
        .to.throw(CacheSerializationError, /User/)
        .with.property('path', 'value');
      expect(() => model.toPlain([new User(), 1]))
        .to.throw(CacheSerializationError)
        .with.property('path', 'value[1]');
      expect(() => model.toPlain('secret')).to.throw(CacheSerializationError);
    });

    it('refuses what would come back changed', () => {
      class Holder {
        money = new Money(1);
      }
      expect(() => classModel(Holder).toPlain([new Holder()]))
        .to.throw(CacheSerializationError, /value\[0\]\.money would come back changed/)
        .with.property('path', 'value[0].money');
    });

    it('refuses circles, and classes that cannot be constructed without arguments', () => {
      class Node {
        next: Node | undefined;
      }
      const node = new Node();
      node.next = node;
      expect(() => classModel(Node).toPlain(node)).to.throw(CacheSerializationError);
      class Strict {
        readonly name: string;
        constructor(owner: { name: string }) {
          this.name = owner.name;
        }
      }
      expect(() => classModel(Strict).toPlain(new Strict({ name: 'x' }))).to.throw(
        CacheSerializationError,
      );
    });
  });

  describe('#fromPlain', () => {
    it('refuses data that breaks a rule, naming the rule and not the value', async () => {
      const model = classModel(User);
      const plain = {
        ...(model.toPlain(new User()) as object),
        email: 'topsecret',
        address: { zip: 'hidden' },
      };
      const error = await errorOf(() => model.fromPlain(plain));
      expect(error).to.be.instanceOf(CacheDeserializationError).with.property('reason', 'model');
      expect((error as Error).message)
        .to.contain('email violates isEmail')
        .and.contain('address.zip violates isInt')
        .and.not.contain('topsecret')
        .and.not.contain('hidden');
    });

    for (const plain of ['text', 5, [1], [null], undefined, true]) {
      it(`refuses ${JSON.stringify(plain)}`, async () => {
        const error = await errorOf(() => classModel(User).fromPlain(plain));
        expect(error).to.be.instanceOf(CacheDeserializationError).with.property('reason', 'model');
      });
    }

    it('wraps what a constructor or a transformation throws', async () => {
      class Picky {
        constructor() {
          throw new Error('not today');
        }
      }
      const error = await errorOf(() => classModel(Picky).fromPlain({}));
      expect(error).to.be.instanceOf(CacheDeserializationError);
      expect((error as Error).cause).to.equal(undefined);
      expect((error as Error).message).to.not.contain('not today');
    });
  });

  it('refuses a model that is no class', () => {
    expect(() => classModel('User' as never)).to.throw(InvalidOptionError);
  });
});
