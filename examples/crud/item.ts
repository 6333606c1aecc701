import { IsNumber, IsString, Length, MaxLength, Min, ValidateIf } from 'class-validator';

/** What is kept. */
export interface Item {
  readonly id: number;
  readonly name: string;
  readonly price: number;
  readonly description?: string;
}

/** Unlike `IsOptional` it takes no `null`. */
const IfGiven = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);

/** The body of a POST or PUT: a whole item. */
export class ItemDto {
  @IsString()
  @Length(1, 100)
  name!: string;

  @IsNumber()
  @Min(0)
  price!: number;

  @IfGiven()
  @IsString()
  @MaxLength(1_000)
  description?: string;
}

/** The body of a PATCH: what is to change. */
export class ItemUpdateDto {
  @IfGiven()
  @IsString()
  @Length(1, 100)
  name?: string;

  @IfGiven()
  @IsNumber()
  @Min(0)
  price?: number;

  @IfGiven()
  @IsString()
  @MaxLength(1_000)
  description?: string;
}
